import pytest

from rntk_bench.benchmark.plan import make_plan
from rntk_bench.config import Experiment
from rntk_bench.errors import InputError
from rntk_bench.methods import METHODS
from rntk_bench.storage.records import protocol_id, record_path


def test_a_plan_has_every_method_on_every_dataset_and_the_paths_of_their_files(tmp_path):
    methods = [METHODS["rbf"], METHODS["gru"]]
    plan = make_plan(["Coffee", "Beef"], methods, Experiment(), tmp_path / "runs")
    assert [evaluation.key for evaluation in plan] == [
        *(("Coffee", "rbf", 0), ("Coffee", "gru", 0), ("Beef", "rbf", 0), ("Beef", "gru", 0))
    ]
    gru = plan[1]
    protocol = METHODS["gru"].protocol(Experiment())
    assert gru.protocol == protocol
    assert gru.record_path == record_path(tmp_path / "runs", "Coffee", "gru", protocol)
    assert gru.lock_path == gru.record_path.with_name(f".{gru.record_path.stem}.lock")
    assert gru.checkpoint_path == gru.record_path.with_suffix(".partial")
    assert list(tmp_path.iterdir()) == []


def test_resamples_share_a_protocol_and_have_files_of_their_own(tmp_path):
    methods = [METHODS["rbf"], METHODS["gru"]]
    plan = make_plan(["Coffee"], methods, Experiment(), tmp_path, (0, 12))
    assert [evaluation.title for evaluation in plan] == [
        *("Coffee rbf", "Coffee gru", "Coffee rbf resample 12", "Coffee gru resample 12")
    ]
    for archive, resampled in zip(plan[:2], plan[2:], strict=True):
        assert resampled.protocol == archive.protocol | {"resample": 12}
        assert "resample" not in archive.protocol
        identifier = protocol_id(archive.protocol)
        assert protocol_id(resampled.protocol) == identifier
        name = f"{archive.method.name}-{identifier}"
        assert archive.record_path == tmp_path / "Coffee" / f"{name}.json"
        assert resampled.record_path == tmp_path / "Coffee" / f"{name}-resample12.json"
        assert resampled.lock_path != archive.lock_path
        assert resampled.checkpoint_path != archive.checkpoint_path


def test_a_name_that_no_folder_can_have_is_refused_when_its_path_is_needed(tmp_path):
    (evaluation,) = make_plan(["a/b"], [METHODS["rbf"]], Experiment(), tmp_path)
    with pytest.raises(InputError, match="cannot name a record's file"):
        _ = evaluation.record_path
