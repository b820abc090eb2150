r"""The Gaussian operators as polynomials: ReLU's (159) and (160), erf's (161) and (162).

For a pair with correlation c the operators are V = sqrt(K1 K2) f(c) and V' = h(c),

    f(c) = (c (pi - arccos c) + sqrt(1 - c^2)) / (2 pi),    h(c) = (pi - arccos c) / (2 pi).

The compiled loops use u = 1 - c instead of c. For nearly equal series u is close to 0, where
arccos(1 - u) has full relative accuracy but arccos(c) has lost half of its digits. On
0 <= v <= 1 both

    arccos(1 - v) / (2 pi)                                 = sqrt(v) P(v)
    (sqrt(1 - a^2) - a arccos a) / (2 pi),  a = 1 - v,     = v sqrt(v) R(v)

have smooth P and R, so one square root and two polynomials replace arccos. Negative correlations
follow from arccos(-a) = pi - arccos(a):

    h = 1/2 - sqrt(v) P(v)  for u <= 1,    sqrt(v) P(v)  for u > 1,    v = min(u, 2 - u),
    1/2 - f = min(u, 1) / 2 - v sqrt(v) R(v).

The coefficients, lowest power first, interpolate P and R at Chebyshev nodes in 40-digit
arithmetic. P and R are stored multiplied by 4, which remains from the normalisation in (18).

Erf needs arcsin(c), which is z Q(z^2) with z = c for c^2 <= 1/2 and otherwise
pi/2 - z Q(z^2) with z = sqrt(1 - c^2).
"""

from __future__ import annotations

from typing import Final

SMALL_RANGE: Final = 0.25
"""Largest u = 1 - c for which the short polynomials are accurate."""

P_FULL: Final = (
    0.9003163161571034,
    0.07502635968113393,
    0.016880930811599273,
    0.0050240904621336,
    0.0017095174802699144,
    0.0006301462834389802,
    0.00023926194433609315,
    0.00012099589514220362,
    -3.510656108733386e-05,
    0.00019855445822991445,
    -0.0003071913432224271,
    0.00039558587356085094,
    -0.0003429014325333585,
    0.0002034633668810159,
    -7.240616746370856e-05,
    1.2383090472608944e-05,
)
"""4 P on [0, 1], relative error 5e-15."""

R_FULL: Final = (
    0.6002108774380652,
    0.03001054387406349,
    0.004823122982666686,
    0.001116467222424344,
    0.00031078713578720454,
    9.720064690748639e-05,
    3.0715785399184226e-05,
    1.775540635788472e-05,
    -1.0159825712159577e-05,
    2.4900567330571965e-05,
    -2.497861541094424e-05,
    1.879464723482499e-05,
    -7.947805782668378e-06,
    1.6929082403439487e-06,
)
"""4 R on [0, 1], relative error 2e-14."""

P_SMALL: Final = (
    0.9003163161571069,
    0.07502635967922204,
    0.01688093098501048,
    0.005024084257395063,
    0.001709632415748479,
    0.0006288992869037519,
    0.0002476726614812669,
    8.474583271891443e-05,
    6.684330262439288e-05,
)
"""4 P on [0, SMALL_RANGE], relative error 1e-15."""

R_SMALL: Final = (
    0.6002108774380678,
    0.03001054387342247,
    0.004823122995170026,
    0.001116467722596658,
    0.0003107709905841266,
    9.736035598054299e-05,
    3.015985054780638e-05,
    1.701083182282922e-05,
)
"""4 R on [0, SMALL_RANGE], relative error 5e-15."""

Q: Final = (
    1.0,
    0.16666666666666963,
    0.07499999999921603,
    0.044642857225197834,
    0.030381939881673394,
    0.022372313172485805,
    0.017349310327158196,
    0.01401917204006966,
    0.01092934906491237,
    0.015091795028583365,
    -0.026316324552338826,
    0.1809574620911065,
    -0.6641236302549411,
    2.0016041109291547,
    -4.535791802822955,
    7.768165374555008,
    -9.669659398550623,
    8.32498352944691,
    -4.438816692066939,
    1.1264192878807509,
)
"""arcsin(z) / z as a polynomial in z^2 on [0, 1/2], relative error 1e-17."""
