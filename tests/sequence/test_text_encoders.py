"""One vector for a text."""

from __future__ import annotations

import builtins
import math
import sys
import types

import pytest
import torch
from torch.nn import functional as F

from mmgraph.errors import InputError, MissingDependencyError
from mmgraph.sequence import HuggingFaceEncoder, TextCNN, TextTransformer
from mmgraph.sequence.text_encoders import positions

TOKENS = torch.tensor([[1, 2, 3, 4, 5, 6], [7, 8, 0, 0, 0, 0], [9, 0, 0, 0, 0, 0]])
LENGTHS = torch.tensor([6, 2, 1])


def encoders():
    torch.manual_seed(0)
    return [TextCNN(10, 5, widths=(1, 2, 4), embedding=6).eval(), TextTransformer(10, 8, heads=2).eval()]


@pytest.mark.parametrize("encoder", encoders(), ids=["cnn", "transformer"])
def test_padding_changes_nothing(encoder):
    vectors = encoder(TOKENS, LENGTHS)
    assert vectors.shape == (3, encoder.outputs)
    torch.testing.assert_close(encoder(TOKENS[:, :6].masked_fill(TOKENS == 0, 5), LENGTHS), vectors)
    for row, length in enumerate(LENGTHS.tolist()):
        torch.testing.assert_close(
            encoder(TOKENS[row : row + 1, :length], LENGTHS[row : row + 1])[0], vectors[row]
        )


@pytest.mark.parametrize("encoder", encoders(), ids=["cnn", "transformer"])
def test_a_text_without_tokens_has_a_finite_vector_and_gradients(encoder):
    vectors = encoder(TOKENS, torch.tensor([6, 0, 1]))
    assert vectors.isfinite().all()
    vectors.sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in encoder.parameters())


def test_of_each_filter_the_largest_answer_counts():
    encoder = TextCNN(10, 3, widths=(2,), embedding=6)
    x = encoder.embedding(TOKENS[0])
    weight, bias = encoder.convs[0].weight, encoder.convs[0].bias
    answers = [F.relu((weight * x[t : t + 2].t()).sum(dim=(1, 2)) + bias) for t in range(5)]
    torch.testing.assert_close(encoder(TOKENS[:1], LENGTHS[:1])[0], torch.stack(answers).amax(dim=0))


def test_a_transformer_knows_the_order_of_words_by_their_places():
    encoder = encoders()[1]
    forward, back = torch.tensor([[1, 2, 3]]), torch.tensor([[3, 2, 1]])
    assert not torch.allclose(encoder(forward, torch.tensor([3])), encoder(back, torch.tensor([3])))
    expected = [math.sin(3), math.cos(3), math.sin(0.03), math.cos(0.03)]
    torch.testing.assert_close(positions(5, 4)[3], torch.tensor(expected))


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="widths"):
        TextCNN(10, widths=())
    with pytest.raises(InputError, match="multiple of heads"):
        TextTransformer(10, 6, heads=4)
    for encoder in encoders():
        for tokens, lengths in ((TOKENS[0], LENGTHS), (TOKENS[:, :0], LENGTHS), (TOKENS, LENGTHS[:2])):
            with pytest.raises(InputError, match="shape"):
                encoder(tokens, lengths)
        for length in (-1, 7):
            with pytest.raises(InputError, match="from 0 to 6"):
                encoder(TOKENS, torch.tensor([length, 1, 1]))


def test_without_transformers_it_says_what_to_install(monkeypatch):
    plain = builtins.__import__

    def without(name, *rest):
        if name == "transformers":
            raise ImportError(name)
        return plain(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"mmgraph\[huggingface\]"):
        HuggingFaceEncoder("some/model")


def test_the_mean_over_the_tokens_of_an_encoder_from_elsewhere(monkeypatch):
    class Read(dict):
        def to(self, device):
            return self

    def tokenizer(texts, **options):
        assert options["truncation"]
        lengths = torch.tensor([len(text.split()) for text in texts])
        mask = (torch.arange(int(lengths.max())) < lengths[:, None]).long()
        return Read(input_ids=mask * torch.arange(1, 1 + mask.size(1)), attention_mask=mask)

    class Encoder(torch.nn.Module):
        config = types.SimpleNamespace(hidden_size=2)

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor([1.0, 10.0]))

        def forward(self, input_ids, attention_mask):
            # Padding has an answer too, which must not count.
            numbers = input_ids.float().masked_fill(input_ids == 0, 99.0)
            return types.SimpleNamespace(last_hidden_state=numbers[:, :, None] * self.weight)

    def model(name, **options):
        assert options == {"use_safetensors": True, "trust_remote_code": False}
        if name != "there":
            raise OSError("no such model")
        return Encoder()

    fake = types.ModuleType("transformers")
    fake.AutoModel = types.SimpleNamespace(from_pretrained=model)
    fake.AutoTokenizer = types.SimpleNamespace(from_pretrained=lambda name: tokenizer)
    monkeypatch.setitem(sys.modules, "transformers", fake)
    encoder = HuggingFaceEncoder("there")
    assert encoder.outputs == 2
    assert not any(p.requires_grad for p in encoder.parameters())
    assert all(p.requires_grad for p in HuggingFaceEncoder("there", trainable=True).parameters())
    torch.testing.assert_close(encoder(["a b c", "a"]), torch.tensor([[2.0, 20.0], [1.0, 10.0]]))
    for texts in ([], "one"):
        with pytest.raises(InputError, match="at least one text"):
            encoder(texts)
    with pytest.raises(InputError, match="cannot be loaded: no such model"):
        HuggingFaceEncoder("elsewhere")


@pytest.fixture
def tiny_bert(tmp_path, monkeypatch):
    """A BERT with random weights and eight words, in a folder, with nothing to fetch."""
    try:
        import transformers
    except (ImportError, RuntimeError, OSError) as error:
        pytest.skip(f"transformers does not import: {error}")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    words = tmp_path / "vocab.txt"
    words.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cats", "sleep", "run"]))
    tokenizer = transformers.BertTokenizer(str(words))
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=8,
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=16,
        max_position_embeddings=16,
    )
    folder = tmp_path / "bert"
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.filterwarnings("ignore")
def test_an_encoder_of_hugging_face_from_a_folder(tiny_bert, monkeypatch):
    import transformers

    encoder = HuggingFaceEncoder(str(tiny_bert), longest=6).eval()
    assert encoder.outputs == 12
    texts = ["cats sleep", "cats", ""]
    vectors = encoder(texts)
    assert vectors.shape == (3, 12)
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(tiny_bert))
    model = transformers.AutoModel.from_pretrained(str(tiny_bert)).eval()
    for text, vector in zip(texts, vectors, strict=True):
        with torch.no_grad():
            alone = model(**tokenizer(text, return_tensors="pt")).last_hidden_state.mean(1)[0]
        torch.testing.assert_close(vector, alone, atol=1e-5, rtol=1e-4)
    # Six tokens with [CLS] and [SEP], so four words: what comes after them changes nothing.
    cut = encoder(["cats " * 4, "cats " * 4 + "sleep run"])
    torch.testing.assert_close(cut[0], cut[1])

    trained = HuggingFaceEncoder(str(tiny_bert), trainable=True)
    trained(texts).square().sum().backward()
    assert any(p.grad is not None and float(p.grad.abs().max()) > 0 for p in trained.parameters())
    pickled = tiny_bert / "pickled"
    pickled.mkdir()
    for file in tiny_bert.glob("*.json"):
        (pickled / file.name).write_bytes(file.read_bytes())
    torch.save(model.state_dict(), pickled / "pytorch_model.bin")
    with pytest.raises(InputError, match="cannot be loaded"):
        HuggingFaceEncoder(str(pickled))
