from pathlib import Path

import pytest

from rntk_bench.config import (
    Experiment,
    Network,
    load_experiment,
    read_experiment,
    shipped_configurations,
)
from rntk_bench.errors import ConfigError
from rntk_bench.methods import resolve
from tests.paths import CONFIGS


def test_an_empty_file_is_the_papers_protocol(tmp_path):
    path = tmp_path / "empty.toml"
    path.write_text("")
    assert read_experiment(path) == Experiment()


def test_a_byte_order_mark_is_passed_over(tmp_path):
    path = tmp_path / "mark.toml"
    path.write_text("[svm]\nn_folds = 3\n", encoding="utf-8-sig")
    assert read_experiment(path).n_folds == 3


def test_every_key_is_read(tmp_path):
    path = tmp_path / "full.toml"
    path.write_text(
        '[experiment]\nname = "x"\ndatasets = ["A", "B"]\nmethods = ["rbf"]\nseed = 3\n'
        "[svm]\nC = [10, 0.5]\nn_folds = 4\ntolerance = 1\nmax_iterations = 7\n"
        'n_repeats = 2\ngram_scale = "centred"\n'
        "[network]\nn_folds = 3\nmax_epochs = 9\npatience = 2\nbatch_size = 8\n"
        "decay = 0.5\nepsilon = 1\n"
        'input = "unit-norm"\ncriterion = "loss"\nclip = 2\nfinal = "retrain"\n'
        "[grid.rbf]\nalpha = [1, 2.5]\n"
    )
    expected = Experiment(
        name="x",
        datasets=("A", "B"),
        methods=("rbf",),
        seed=3,
        n_folds=4,
        n_repeats=2,
        gram_scale="centred",
        C=(0.5, 10),
        tolerance=1.0,
        max_iterations=7,
        network=Network(3, 9, 2, 8, 0.5, 1.0, "unit-norm", "loss", 2.0, "retrain"),
        grids={"rbf": {"alpha": (1, 2.5)}},
    )
    assert read_experiment(path) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[svn]\n", "[svn]"),
        ("[svm]\nfolds = 3\n", "svm.folds"),
        ("[svm]\nn_folds = 2.5\n", "svm.n_folds"),
        ("[svm]\nn_folds = 1\n", "n_folds"),
        ("[svm]\nn_repeats = 0\n", "n_repeats"),
        ('[svm]\ngram_scale = "mean"\n', "gram_scale"),
        ("[grid.rntk]\nbandwidth = ['all', nan]\n", "grid.rntk.bandwidth"),
        ("[grid.rntk]\nbandwidth = ['all', true]\n", "grid.rntk.bandwidth"),
        ("[svm]\nn_folds = true\n", "svm.n_folds"),
        ("[svm]\nC = []\n", "svm.C"),
        ("[svm]\nC = [0]\n", "C"),
        ('[svm]\nC = ["1"]\n', "svm.C"),
        ("[svm]\ntolerance = 0\n", "tolerance"),
        ("[svm]\nmax_iterations = 0\n", "max_iterations"),
        ("[experiment]\nseed = -1\n", "seed"),
        (f"[experiment]\nseed = {2**32}\n", "seed"),
        ('[experiment]\ndatasets = "Coffee"\n', "experiment.datasets"),
        ("[experiment]\ndatasets = [1]\n", "datasets"),
        ("[experiment]\nmethods = []\n", "methods"),
        ("[grid.rbf]\nalpha = []\n", "grid.rbf.alpha"),
        ("[grid.rbf]\nalpha = 1\n", "grid.rbf.alpha"),
        ("[grid.rbf]\nalpha = [nan]\n", "grid.rbf.alpha"),
        ("[grid]\nrbf = 1\n", "grid.rbf"),
        ("svm = 1\n", "svm"),
        ("[network]\nepochs = 9\n", "network.epochs"),
        ("[network]\nn_folds = 1\n", "network.n_folds"),
        ("[network]\npatience = 0\n", "network.patience"),
        ("[network]\nbatch_size = 2.5\n", "network.batch_size"),
        ("[network]\ndecay = 1\n", "network.decay"),
        ('[network]\ninput = "raw"\n', "network.input"),
        ('[network]\ncriterion = "f1"\n', "network.criterion"),
        ("[network]\nclip = 0\n", "network.clip"),
        ("[network]\nfinal = 1\n", "network.final"),
        ('[network]\nfinal = "last"\n', "network.final"),
        ("[network]\nepsilon = 0\n", "network.epsilon"),
        ("[network]\nepsilon = inf\n", "network.epsilon"),
        ("[network]\nmax_epochs = 1000000000\n", "network.max_epochs"),
        ("[svm]\ntolerance = inf\n", "tolerance"),
        (f"[svm]\nmax_iterations = {2**70}\n", "svm.max_iterations"),
        (f"[grid.rbf]\nalpha = [{'9' * 400}]\n", "grid.rbf.alpha"),
        (f"[svm]\ntolerance = {'9' * 400}\n", "svm.tolerance"),
        (f"[experiment]\nseed = {'9' * 5000}\n", "TOML"),
        ("[svm]\nC = " + "[" * 5000, "TOML"),
        ("#" * (1 << 21), "larger than any experiment"),
        ("[svm\n", "TOML"),
    ],
)
def test_what_is_wrong_is_refused_with_the_keys_name(tmp_path, text, named):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_experiment(path)
    assert named in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_and_a_binary_file_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        read_experiment(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.toml"):
        read_experiment(tmp_path / "binary.toml")


def test_methods_and_seed_stand_in_place_of_the_files():
    assert load_experiment(None) == Experiment()
    changed = load_experiment(CONFIGS / "quick.toml", ["gru"], 7)
    assert (changed.name, changed.methods, changed.seed) == ("quick", ("gru",), 7)


def test_configurations_come_with_the_package_by_the_names_of_their_files():
    shipped = shipped_configurations()
    assert list(shipped) == sorted(path.stem for path in CONFIGS.glob("*.toml"))
    for name, path in shipped.items():
        assert path.read_text(encoding="utf-8") == (CONFIGS / path.name).read_text("utf-8")
        assert read_experiment(path).name == name


def test_inside_the_package_they_come_first(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "rntk_bench"
    monkeypatch.setattr("rntk_bench.config.__file__", str(package / "config.py"))
    assert shipped_configurations() == {}
    for folder in (package, package.parent):
        (folder / "configs").mkdir(parents=True, exist_ok=True)
        (folder / "configs" / "quick.toml").touch()
    assert shipped_configurations() == {"quick": package / "configs" / "quick.toml"}


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("configs/quick.toml", "comes with this package is named without a path, quick."),
        ("mine.toml", "name a TOML file, or one of lengths, "),
    ],
)
def test_a_missing_file_is_answered_by_the_names_of_those_that_are_there(path, hint):
    with pytest.raises(ConfigError, match="does not exist") as caught:
        read_experiment(Path("nowhere") / path)
    assert hint in str(caught.value)


@pytest.mark.parametrize("clip", [None, 2.0])
def test_a_records_protocol_gives_the_networks_keys_back(clip):
    for network in (
        Network(clip=clip),
        Network(input="unit-norm", criterion="strict-accuracy", clip=clip, final="retrain"),
        Network(criterion="loss", clip=clip, final="ensemble", patience=3),
    ):
        assert Network(**Network.keys_of(network.protocol())) == network


def test_the_configurations_of_networks_share_datasets_and_differ_in_grid_and_protocol():
    reference, compact, paper, literal = (
        read_experiment(CONFIGS / f"{name}.toml")
        for name in ("reference", "networks-compact", "networks-paper", "networks-literal")
    )
    protocols = read_experiment(CONFIGS / "protocols.toml")
    assert compact.datasets == reference.datasets
    assert protocols.datasets == literal.datasets
    assert protocols.network == compact.network
    assert resolve(protocols) == resolve(compact)
    assert set(literal.datasets) < set(reference.datasets)
    assert compact.network == paper.network == Network()
    assert literal.network.batch_size == 32
