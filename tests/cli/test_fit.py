import stat

from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.datasets import locate
from rntk_bench.estimators import KernelClassifier, load_model


def invoke(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


def test_too_little_memory_is_one_sentence(tmp_path, config, monkeypatch):
    def exhausted(*arguments):
        raise MemoryError("Unable to allocate 1. TiB")

    train = tmp_path / "train.tsv"
    train.write_text("a\t1\t2\nb\t2\t1\na\t1\t3\nb\t3\t1\n")
    monkeypatch.setattr(KernelClassifier, "fit", exhausted)
    outcome = invoke("fit", train, "-o", tmp_path / "model.npz", "-c", config)
    assert outcome.exit_code == 1
    *compiling, sentence = outcome.stderr.splitlines()
    assert sentence.startswith("Error: The memory does not suffice (Unable to allocate")
    assert len(compiling) <= 1


def test_a_seed_and_any_kernel_method(tmp_path, config):
    train, _ = locate("GunPoint").paths
    text = config.read_text()
    for method in ("nngp", "rntk-both", "poly"):
        config.write_text(text if method == "poly" else text.replace("rntk]", f"{method}]"))
        model = tmp_path / f"{method}.npz"
        done = invoke("fit", train, "-o", model, "-m", method, "-c", config, "--seed", 3, "-j", 1)
        assert done.exit_code == 0, done.output
        loaded = load_model(model)
        assert (loaded.method, loaded.random_state) == (method, 3)


def test_warnings_are_sentences(tmp_path, config):
    train, _ = locate("GunPoint").paths
    config.write_text(config.read_text().replace("n_folds", "max_iterations = 1\nn_folds"))
    done = invoke("fit", train, "-o", tmp_path / "model.npz", "-c", config)
    assert done.exit_code == 0
    assert "Warning: In 1 settings an SVM stopped at max_iterations=1.\n" in done.stderr


def test_errors_are_one_sentence_and_exit_2(tmp_path):
    train = tmp_path / "train.tsv"
    train.write_text("a\t1\t2\nb\t2\t3\n")
    one_class = tmp_path / "one.tsv"
    one_class.write_text("a\t1\t2\na\t2\t3\n")
    new = tmp_path / "new.npz"
    for arguments, named in (
        (("fit", train), "--output"),
        (("fit", train, "-o", new, "-m", "rnkt"), "did you mean 'rntk'"),
        (("fit", train, "-o", new, "-m", "gru"), "kernels only"),
        (("fit", tmp_path / "none.tsv", "-o", new), "none.tsv cannot be read"),
        (("fit", tmp_path / "none.xlsx", "-o", new), ".csv"),
        (("fit", one_class, "-o", new), "single class 'a'"),
    ):
        result = invoke(*arguments)
        assert result.exit_code == 2, result.output
        assert named in result.output
        assert "Traceback" not in result.output
        assert not new.exists()


def test_what_cannot_be_written_is_said_before_the_work(tmp_path):
    train = tmp_path / "train.tsv"
    train.write_text("a\t1\t2\nb\t2\t3\n")
    result = invoke("fit", train, "-o", tmp_path / "none" / "model.npz")
    assert result.exit_code == 3
    assert "choose another file with --output" in result.output


def test_a_model_is_not_secret_and_replaced_whole(user_model, tmp_path):
    before = user_model.read_bytes()
    assert stat.S_IMODE(user_model.stat().st_mode) & stat.S_IRUSR
    done = invoke("fit", tmp_path / "train.tsv", "-o", user_model, "-m", "poly", "-q")
    assert done.exit_code == 0
    assert user_model.read_bytes() != before
    assert load_model(user_model).method == "poly"


def test_a_file_name_with_control_characters_takes_one_line(tmp_path):
    path = tmp_path / "my\nfile\x1b[31m.tsv"
    path.write_text("a\t1\t2\na\t2\t3\n")
    done = invoke("fit", path, "-o", tmp_path / "model.npz")
    assert done.exit_code == 2
    assert "my\\nfile\\x1b[31m.tsv has the single class" in done.stderr
    assert done.stderr.count("\n") == 1
    path.write_text("a\t1\t2\nb\t2\t3\na\t1\t1\nb\t3\t3\n")
    done = invoke("fit", path, "-o", tmp_path / "model.npz", "-m", "rbf")
    assert "my\\nfile\\x1b[31m.tsv: 4 series of 2 steps" in done.stdout
