"""Speed beside the machine's own limits, as Markdown, from ``bench_model`` and ``bench_design``."""

from pathlib import Path

from core.optional_results import Content, sections

MODEL, DESIGN = "bench_model", "bench_design"
SHOWN = 5  # operators of a training step


def bench_text(results: Path) -> list[str]:
    """Return a paragraph for each of the two results that is there.

    Raises:
        CheckpointError: a result is damaged.
    """
    return sections(results, ((MODEL, _model, "bench"), (DESIGN, _design, "bench")))


def _model(found: Content) -> list[str]:
    step, inference = found["training"], found["inference"]
    encoded = inference["encode_micrograph_2048x1532"]
    decoded = _sizes(inference, "decode_")
    if finished := _sizes(inference, "finished_"):
        decoded += f"; finished by the denoiser, in all, {finished}"
    most = ", ".join(
        f"{entry['operator'].removeprefix('aten::')} {100 * entry['share']:.0f} %"
        for entry in step["profile"][:SHOWN]
    )
    return [
        f"Speed, by `{found['command']}` on {found['hardware']}: training "
        f"{step['patches_per_s']:.1f} patches/s in {step['precision']}, "
        f"{100 * step['share_of_peak']:.0f} % of the {step['peak_gflop_per_s']:.0f} GFLOP/s that "
        f"matrix products reach in the same process (most of a step's time: {most}); encoding a "
        f"2048 x 1532 px micrograph {encoded['seconds']:.1f} s; decoding {decoded}; memory "
        f"{found['peak_memory_inference_gib']:.1f} GiB, {found['peak_memory_all_gib']:.1f} GiB "
        f"with training.{_sharing(found)}"
    ]


def _sharing(found: Content) -> str:
    """Say how two processes share the cores, where that was measured."""
    if "sharing" not in found:
        return ""
    times = {name: one["times_alone"][0] for name, one in found["sharing"]["cases"].items()}
    return (
        f" Beside a training of the dashboard's a patch takes {times['beside_job']:.1f} times as "
        f"long as alone, beside another process {times['beside_own']:.1f} times; with OpenMP's "
        f"default, which `core.openmp` replaces, {times['default_beside']:.1f} times (alone "
        f"{times['default_alone']:.2f} times)."
    )


def _sizes(inference: Content, kind: str) -> str:
    """Return the milliseconds of each size of a kind of picture."""
    return ", ".join(
        f"{1000 * entry['median_s']:.0f} ms at {name.split('_')[1]} px"
        for name, entry in inference.items()
        if name.startswith(kind)
    )


def _design(found: Content) -> list[str]:
    bars, fit, pixels = found["bars_s"], found["fit"], found["pixel_optimisation"]
    quick, whole, stream = found["quick"]["total"], found["whole"]["total"], found["stream"]
    return [
        f"Designs, by `{found['command']}` on {found['hardware']}: query, decoding at the patch's "
        f"size and predicting back {_ms(quick['median'])} (95th percentile {_ms(quick['p95'])}; "
        f"bars {_ms(bars['quick_p50'])} and {_ms(bars['quick_p95'])}{_draft(found)}); with a 1024 "
        f"px field, 16 encoded patches and its descriptors {whole['median']:.1f} s "
        f"(bar {bars['whole']:.0f}). "
        "Optimising the pixels of a patch to the same style error takes "
        f"{pixels['seconds_median']:.0f} s, {found['times_faster_than_pixels']:.0f} times as long "
        f"({pixels['reached']} of {pixels['patches']} reach it). Fitting {fit['nodes']} nodes to "
        f"{fit['patches']} patches takes {fit['structure_and_parameters']:.1f} s for structure and "
        f"parameters (bar {bars['fit']:.0f}), {fit['whole']:.1f} s with calibrated intervals; a "
        f"stream of {stream['patches']:,} patches {stream['seconds']:.0f} s in "
        f"{stream['peak_mib']:.0f} MiB."
    ]


def _draft(found: Content) -> str:
    """Say how long a quick design takes whose picture is not finished, where that was measured."""
    if "quick_draft" not in found:
        return ""
    total = found["quick_draft"]["total"]
    return f"; with the decoder's draft {_ms(total['median'])} and {_ms(total['p95'])}"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
