"""The recipe `sequence-to-sequence`."""

from __future__ import annotations

import pytest
import torch

from mmgraph.errors import ConfigError, InputError
from mmgraph.questions import Attention, Caption, Locate
from mmgraph.recipes import launch, recipe
from mmgraph.recipes.sequence_to_sequence.build import answer, build, draw_pairs, spelled
from mmgraph.runs import RunReader
from mmgraph.training.loop import TrainingLoop
from mmgraph.training.sequence_to_sequence import SequenceToSequence

SMALL = {"epochs": 2, "pairs": 200, "hidden": 8, "embedding": 4, "batch_size": 32, "teacher_forcing": 0.5}
SMALL |= {"shortest": 3, "longest": 5, "device": "cpu"}
Config = recipe("sequence-to-sequence").config


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (8, "eight"),
        (13, "thirteen"),
        (18, "eighteen"),
        (20, "twenty"),
        (42, "forty two"),
        (100, "one hundred"),
        (1203, "one thousand two hundred three"),
        (999_999, "nine hundred ninety nine thousand nine hundred ninety nine"),
        (85_000_011, "eighty five million eleven"),
    ],
)
def test_numbers_in_words(number, words):
    assert " ".join(spelled(number)) == words


def test_what_is_to_be_written():
    assert answer("sort", "3021") == list("0123")
    assert answer("reverse", "3021") == list("1203")
    assert answer("spell", "21") == ["twenty", "one"]


@pytest.mark.parametrize("task", ["sort", "reverse", "spell"])
def test_no_pair_is_there_twice(task):
    pairs = draw_pairs(Config(task=task, pairs=400, shortest=1, longest=4))
    assert len({"".join(read) for read, _ in pairs}) == 400
    assert all(written == answer(task, "".join(read)) for read, written in pairs)
    assert {len(read) for read, _ in pairs} == {1, 2, 3, 4}
    assert pairs == draw_pairs(Config(task=task, pairs=400, shortest=1, longest=4))


def test_it_learns_to_turn_two_digits_around(tmp_path):
    options = {
        "task": "reverse",
        "pairs": 48,
        "shortest": 2,
        "longest": 2,
        "epochs": 30,
        "batch_size": 12,
        "hidden": 32,
    }
    folder, result = launch.train("sequence-to-sequence", {**options, "device": "cpu"}, runs=tmp_path)
    assert result.metrics["train/loss"] < 0.3
    with RunReader(folder) as reader:
        items, last = reader.items(), reader.snapshots(kind="attention")[-1]
        snapshot = reader.load(last)
        weights = snapshot.array
        remarks = [event.message for event in reader.poll().events if event.kind == "sample"]
    assert weights.shape == (6, 1, 3, 2)
    assert weights.sum(-1) == pytest.approx(1, abs=1e-4)
    written = [[*text.split(" → ")[1].split(), "<end>"] for text in items.texts]
    assert snapshot.notes["queries"] == written
    assert snapshot.notes["keys"] == [text.split(" → ")[0].split() for text in items.texts]
    assert items.texts[0][:3] == items.texts[0][6:][::-1]
    assert remarks[-1].startswith(f"{items.texts[0]}: wrote")


def test_a_run_that_was_stopped_goes_on_with_the_very_same_numbers(tmp_path, monkeypatch):
    whole, _ = launch.train("sequence-to-sequence", SMALL, runs=tmp_path, run_name="whole")
    between = TrainingLoop.between_steps

    def stop_in_the_middle(loop, numbers):
        between(loop, numbers)
        if loop.progress.step == 7:
            loop.stop_reason = "test"

    monkeypatch.setattr(TrainingLoop, "between_steps", stop_in_the_middle)
    folder, part = launch.train("sequence-to-sequence", SMALL, runs=tmp_path, run_name="part")
    monkeypatch.undo()
    assert part.state == "stopped"
    launch.resume(folder)
    series = []
    for run in (whole, folder):
        with RunReader(run) as reader:
            series.append(reader.series("train/loss").value.tolist())
    assert series[0] == series[1]
    assert len(series[0]) == 10


def test_true_tokens_are_given_ever_less_often():
    task = build(Config(pairs=200, epochs=5, teacher_forcing=0.2))
    assert [next(task.batches(epoch))[1] for epoch in range(5)] == pytest.approx([1, 0.8, 0.6, 0.4, 0.2])


def test_a_perfect_writer_gets_everything_right():
    task = build(Config(pairs=200, task="sort", shortest=3, longest=5))
    digits = {tuple(row.tolist()): row for row in task._sources["test"]}

    class Perfect(torch.nn.Module):
        end, begin = task.model.end, task.model.begin

        def forward(self, source, lengths, written, **_):
            wanted = torch.cat([written, written.new_full((len(written), 1), self.end)], dim=1)
            return 50.0 * torch.nn.functional.one_hot(wanted, 13).float()

        def generate(self, source, lengths, steps):
            tokens = torch.full((len(source), steps), self.end)
            for row, (numbers, length) in enumerate(zip(source, lengths.tolist(), strict=True)):
                # Numbers of the target are two more than those of the source: <begin> and <end> come before them.
                tokens[row, :length] = numbers[:length].sort().values + 2
            return tokens, lengths

    task.model = Perfect()
    assert len(digits) == 25
    assert task.evaluate("test") == pytest.approx(
        {"test/loss": 0, "test/accuracy": 1, "test/token-accuracy": 1}, abs=1e-6
    )


def test_bad_input_is_refused(tmp_path):
    for options, error in (
        ({"hidden": 7}, "even number"),
        ({"shortest": 5, "longest": 4}, "from shortest to longest"),
        ({"task": "spell", "longest": 10}, "at most 9"),
        ({"shortest": 1, "longest": 2, "pairs": 60}, "use more digits"),
    ):
        with pytest.raises(ConfigError, match=error):
            launch.train("sequence-to-sequence", {**SMALL, **options}, runs=tmp_path)
    task = build(Config(pairs=200))
    with pytest.raises(InputError, match="train part"):
        SequenceToSequence(task.model, {"train": [([], ["1"])]}, source=None, target=None, items=task.items())


# -- a person's own text -----------------------------------------------------------------------------------


def nobody(share, text, partial):
    pass


@pytest.fixture
def untrained():
    torch.manual_seed(0)
    return build(
        Config(task="reverse", pairs=60, shortest=2, longest=4, hidden=8, embedding=4, probe_pairs=5)
    )


def test_what_is_written_for_a_text_and_looked_at_meanwhile(untrained):
    found = untrained.answer(Caption(text=" 30 2"), nobody)
    model = untrained.model.eval()
    source, lengths = torch.tensor([[4, 1, 3]]), torch.tensor([3])
    written, count = model.generate(source, lengths, 9)
    words = [untrained._target.tokens[number] for number in written[0, : int(count)].tolist()]
    assert found.facts == {"sentence": " ".join(words), "words": words}
    (maps,) = found.snapshots
    assert maps.notes == {"queries": [[*words, "<end>"]], "keys": [["3", "0", "2"]]}
    with torch.no_grad():
        expected = model.attention(source, lengths, written[:, : int(count)])
    assert maps.array == pytest.approx(expected[:, None].numpy(), abs=1e-6)
    (again,) = untrained.answer(Attention(text="302"), nobody).snapshots
    assert again.array == pytest.approx(maps.array)


def test_a_text_lies_where_its_source_lies(untrained):
    read = untrained.items().texts[2].split(" → ")[0]
    found = untrained.answer(Locate(text=read, k=1), nobody)
    assert found.facts["neighbours"][0]["row"] == 2
    assert found.facts["neighbours"][0]["distance"] == pytest.approx(0, abs=1e-3)
    recorded = {some.key: some.array for some in untrained.probe()}
    assert found.snapshots[0].array[0] == pytest.approx(recorded["embedding/encoder"][2], abs=1e-5)
    # Of a recorded item the true target is looked through, and its own words are written when it is asked.
    (kept,) = untrained.answer(Attention(row=2), nobody).snapshots
    assert kept.array[0] == pytest.approx(recorded["attention/decoder"][2], abs=1e-5)
    assert (
        untrained.answer(Caption(row=2), nobody).facts == untrained.answer(Caption(text=read), nobody).facts
    )


@pytest.mark.parametrize("text", ["", "hello", "שלום 🙂", "1" * 257])
def test_texts_it_cannot_read(untrained, text):
    with pytest.raises(InputError, match="reads up to 256 tokens such as 0 1 2"):
        untrained.answer(Locate(text=text), nobody)


def test_without_attention_there_is_nothing_to_show_of_a_text_but_what_is_written():
    task = build(Config(pairs=60, shortest=2, longest=3, hidden=8, attention="none", probe_pairs=5))
    assert task.answer(Caption(text="12"), nobody).snapshots == ()
    with pytest.raises(InputError, match="no layer of its model attends"):
        task.answer(Attention(text="12"), nobody)
    with pytest.raises(InputError, match="knows nothing of files"):
        task.answer(Locate(file="12.png"), nobody)
