"""The official checkpoint read to the same weights, ids and latents; a bad folder refused in one line."""

import json
import os
import shutil

import numpy as np
import pytest
import torch

from curate.errors import UserError
from train.model import base, inputs, speaking, tiny, voxcpm


def test_the_same_seed_makes_the_same_bytes_and_another_does_not(tiny, tmp_path):
    from train.model import tiny as making

    again, other = making.make(tmp_path / "a"), making.make(tmp_path / "b", seed=1)
    for name in ("config.json", "tokenizer.json", "model.safetensors", "audiovae.safetensors"):
        assert (again / name).read_bytes() == (tiny / name).read_bytes()
    assert (other / "model.safetensors").read_bytes() != (tiny / "model.safetensors").read_bytes()


def test_the_tiny_checkpoint_can_be_read_by_whoever_the_umask_lets(tmp_path):
    before = os.umask(0o027)
    try:
        folder = tiny.make(tmp_path / "a")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o640}


def test_the_official_loader_reads_the_tiny_checkpoint_to_the_same_weights(tiny):
    from voxcpm.model.voxcpm2 import VoxCPM2Model

    with voxcpm.quiet():
        theirs = VoxCPM2Model.from_local(str(tiny), optimize=False, device="cpu").state_dict()
    ours = voxcpm.load(tiny, device="cpu").state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize(
    "text",
    [
        "(Khmer)សួស្តី  \n the",
        "你好世界",
        "(Korean)안녕 하세요",
        " a\u00a0b\r\n\r\nc ",
        "a\u3000你好\u200bthe",
        "the\tend\n",
    ],
)
def test_text_becomes_the_ids_that_inference_sees(tiny, text):
    """The ids that VoxCPM2Model embeds for a text given to VoxCPM.generate."""
    seen = []
    model = voxcpm.load(tiny, device="cpu")
    model.base_lm.embed_tokens.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    speaking.speak(model, text, seed=0)
    official = as_inference_is_given_it(text)
    assert voxcpm.Tokenizer(tiny)(text) == seen[0][0, :-1].tolist() == model.text_tokenizer(official)  # then 101


def as_inference_is_given_it(text):
    """The text that voxcpm.VoxCPM.generate hands to its model."""
    from voxcpm import VoxCPM

    given = []

    class Model:
        sample_rate = 48000

        def _generate_with_prompt_cache(self, target_text, **_):
            given.append(target_text)
            yield torch.zeros(1, 1), None, None

    speaker = object.__new__(VoxCPM)
    speaker.tts_model, speaker.text_normalizer = Model(), None
    speaker.generate(text)
    return given[0]


def test_multi_character_chinese_is_split_and_the_special_ids_are_in_place(tiny):
    tokenizer = voxcpm.Tokenizer(tiny)
    assert len(tokenizer("你好世界")) == 5  # the mark of a word, then four characters
    assert tokenizer("<|audio_start|>")[-1] == inputs.AUDIO_START
    assert tokenizer("<|audio_end|>")[-1] == 102


def test_whitespace_is_collapsed_as_in_inference(tiny):
    tokenizer = voxcpm.Tokenizer(tiny)
    assert tokenizer("a \n\t b") == tokenizer("a b")


@pytest.mark.filterwarnings("ignore:.*slated for removal:DeprecationWarning")  # audioread, through librosa
def test_latents_are_those_that_inference_makes_of_a_file(tiny, tmp_path):
    import soundfile

    audio = np.random.default_rng(0).uniform(-0.5, 0.5, 16000).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", audio, 16000, subtype="FLOAT")
    model = voxcpm.load(tiny, device="cpu")
    with torch.inference_mode():
        theirs = model._encode_wav(str(tmp_path / "a.wav"))
    ours = voxcpm.encode(voxcpm.load_vae(tiny, device="cpu"), audio, patch=4)
    assert ours.shape == (7, 4, 8)  # 1 s at 6.25 patches a second, the last one padded
    assert torch.equal(ours, theirs)


def test_a_model_for_training_has_no_cache_and_leaves_vae_and_encoder_on_the_cpu(tiny, monkeypatch):
    """The meta device, which VoxCPM does not know, stands for a GPU: what lies there takes no memory here."""
    build = voxcpm.build
    monkeypatch.setattr(voxcpm, "build", lambda config, **more: build(config, **more | {"device": "cpu"}))
    model = voxcpm.load(tiny, device="meta", training=True)
    places = {name: {each.device.type for each in part.parameters()} for name, part in model.named_children()}
    assert places.pop("audio_vae") == places.pop("feat_encoder") == {"cpu"}
    assert set().union(*places.values()) == {"meta"}
    assert {each.dtype for each in model.base_lm.parameters()} == {torch.bfloat16}
    for lm in (model.base_lm, model.residual_lm):
        assert lm.kv_cache.kv_cache.shape[-2] <= 8
    assert not any(each.requires_grad for each in model.parameters())


def changed(**values):
    def change(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | values))

    return change


def written(name, content):
    return lambda folder: (folder / name).write_text(content)


def cut(name):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:1000])


def without(*tensors):
    def change(folder):
        from safetensors.torch import load_file, save_file

        state = load_file(folder / "model.safetensors")
        save_file({name: state[name] for name in state if name not in tensors}, folder / "model.safetensors")

    return change


def rewritten(name, change):
    """Change the tensors of one file, given as a dict."""

    def rewrite(folder):
        from safetensors.torch import load_file, save_file

        state = load_file(folder / name)
        save_file(change(state), folder / name)

    return rewrite


def cast(kind, name="model.safetensors", start=""):
    return rewritten(name, lambda state: {key: value.to(kind) if key.startswith(start) and value.is_floating_point()
                                          else value for key, value in state.items()})  # fmt: skip


def nested(part, **values):
    return lambda folder: changed(**{part: base.read_config(folder)[part] | values})(folder)


def deeper(state):
    """One layer more in the base LM than there is."""
    more = {key.replace("layers.1.", "layers.2."): value.clone() for key, value in state.items()
            if key.startswith("base_lm.layers.1.")}  # fmt: skip
    return state | more


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / "config.json").unlink(), "it has no readable config.json"),
        (written("config.json", "[]"), "its config.json says architecture None"),
        (changed(architecture="voxcpm"), "its config.json says architecture 'voxcpm'"),
        (
            written("config.json", '{"architecture": "voxcpm2"}'),
            "is no VoxCPM2 configuration: lm_config: field required",
        ),
        (changed(patch_size=0), "is no VoxCPM2 configuration: patch_size is 0, and must be 1 at least"),
        (changed(patch_size=-4), "patch_size is -4, and must be 1 at least"),
        (nested("lm_config", num_hidden_layers=0), "lm_config.num_hidden_layers is 0, and must be 1 at least"),
        (nested("audio_vae_config", sample_rate=0), "audio_vae_config.sample_rate is 0, and must be 1 at least"),
        (nested("audio_vae_config", encoder_rates=[2, 0]), "audio_vae_config.encoder_rates is 0, and must be"),
        (cast(torch.int8), "are quantized ("),
        (cast(torch.float8_e4m3fn, start="base_lm.layers.0.self_attn.q_proj"), "q_proj.weight is float8_e4m3fn): give"),
        (cast(torch.int32, "audiovae.safetensors"), "is int32): give those they were made from"),
        (
            rewritten("model.safetensors", deeper),
            "have more layers than its config.json says, such as base_lm.layers.2.",
        ),
        (changed(patch_size="x"), "is no VoxCPM2 configuration: patch_size: input should be a valid integer"),
        (lambda folder: (folder / "audiovae.safetensors").unlink(), "audiovae.safetensors or audiovae.pth is missing"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json is missing"),
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors or pytorch_model.bin is missing"),
        (cut("tokenizer.json"), "the tokenizer in"),
        (cut("model.safetensors"), "model.safetensors cannot be read"),
        (cut("audiovae.safetensors"), "audiovae.safetensors cannot be read"),
        (without("stop_head.weight"), "lack 1 tensor, such as stop_head.weight"),
        (changed(scalar_quantization_latent_dim=12), "do not fit its config.json: size mismatch for fsq_layer"),
    ],
)
def test_a_bad_model_folder_is_one_line(tiny, tmp_path, spoil, says):
    folder = tmp_path / "spoilt"
    shutil.copytree(tiny, folder)
    spoil(folder)
    with pytest.raises(UserError) as problem:
        voxcpm.load(base.find(str(folder)), device="cpu")
    assert says in str(problem.value)
    assert str(folder) in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (cut("tokenizer.json"), "the tokenizer in"),
        (cut("model.safetensors"), "model.safetensors cannot be read"),
        (without("stop_head.weight"), "lack 1 tensor, such as stop_head.weight"),
        (changed(scalar_quantization_latent_dim=12), "do not fit its config.json: size mismatch for fsq_layer"),
        (cast(torch.int32, "audiovae.safetensors"), "are quantized"),
    ],
)
@pytest.mark.parametrize("dry", [True, False])
def test_a_bad_model_folder_is_told_before_a_clip_is_encoded(make_corpus, tiny, tmp_path, spoil, says, dry):
    from train import config
    from train.data import dataset
    from train.estimate import forecast

    folder, source = tmp_path / "spoilt", make_corpus()
    shutil.copytree(tiny, folder)
    spoil(folder)
    run = config.build({"corpus": str(source), "model": str(folder), "into": str(tmp_path / "run")})
    with pytest.raises(UserError, match=says):
        forecast.forecast(run, tick=lambda *_: None) if dry else next(dataset.prepare(dataset.survey(run), "cpu"))
    assert not (source / "latents").exists()


def test_tensors_of_no_layer_are_named_and_counted(tiny, tmp_path, caplog):
    from train.data import dataset

    dataset.note_files(tiny)
    assert caplog.messages == []
    folder = tmp_path / "more"
    shutil.copytree(tiny, folder)
    rewritten("model.safetensors", lambda state: state | {"foo": torch.zeros(3), "bar": torch.zeros(3)})(folder)
    dataset.note_files(folder)
    assert caplog.messages == [f"{folder}: 2 tensors of no layer, such as bar: not used"]


@pytest.mark.parametrize("kind", [torch.int8, torch.float8_e5m2])
def test_quantized_weights_are_not_encoded_with(tiny, tmp_path, kind):
    """Clips are encoded before the whole model is loaded."""
    folder = tmp_path / "spoilt"
    shutil.copytree(tiny, folder)
    cast(kind)(folder)
    with pytest.raises(UserError, match="are quantized"):
        voxcpm.load_encoder(folder, device="cpu", dtype=torch.float32)


def test_a_half_precision_checkpoint_and_tensors_of_no_layer_are_no_fault(tiny, tmp_path):
    folder = tmp_path / "half"
    shutil.copytree(tiny, folder)
    cast(torch.float16)(folder)
    rewritten("model.safetensors", lambda state: state | {"foo": torch.zeros(3)})(folder)
    assert voxcpm.load(folder, device="cpu").fusion_concat_proj.weight.dtype is torch.float32


def test_the_published_configuration_is_read_and_one_without_a_size_is_not(tmp_path):
    published = base.real_config()
    assert voxcpm.check_config(published, tmp_path) is None
    with pytest.raises(UserError, match="patch_size is 0, and must be 1 at least"):
        voxcpm.check_config(published | {"patch_size": 0}, tmp_path)


def test_the_tiny_configuration_keeps_what_is_fixed_in_the_real_one():
    real, small = base.real_config(), tiny_configuration()
    assert small["patch_size"] == real["patch_size"] == 4
    for key in ("encoder_rates", "decoder_rates", "sample_rate", "out_sample_rate"):
        assert small["audio_vae_config"][key] == real["audio_vae_config"][key]


def tiny_configuration():
    return tiny.configuration()
