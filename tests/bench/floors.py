"""The floors that Arraylift must not fall below and the aims that it goes for, each against what this run measured."""

from common import median

MIB = 1 << 20
# Above this the recipe cannot have been faulting in pages that its host had to bring.
RECIPE_COLD = 1e9
RECIPE, IPERF3, CUBIC, MEMCPY = "recipe", "iperf3 -Z", "iperf3 -Z -C cubic", "memcpy, one thread"
FRESH, REUSED = "arraylift loopback", "arraylift loopback, regions reused"
UNVERIFIED_REUSED = "arraylift loopback --no-verify, regions reused"
FILE = "arraylift send, receive"
RIVALS_FOR_FILES = ["nc", "mbuffer", "rsync daemon", "nginx + curl"]
# What was there before, and what the sender has just made: then whatever runs next has to wait for new pages.
HANDOFF, HANDOFF_LARGE = "arraylift handoff", "arraylift handoff, 20 times as much"
HANDOFF_LARGE_MADE = "arraylift handoff, 20 times as much, made just before"


def print_floors(warm, cold, files, handed, memory):
    """A table; each argument is what was measured by name, and may be empty. True where every floor was met."""
    judged = [
        *ratio_line("range into fresh memory, cold pages", in_cold_rounds(cold), FRESH, RECIPE, 6, 10),
        *ratio_line("range into fresh memory", warm, FRESH, IPERF3, 1.3, None),
        *ratio_line("range into fresh memory", warm, FRESH, MEMCPY, None, 0.36),
        *ratio_line("the same again in one process", warm, REUSED, IPERF3, 1.6, None),
        *ratio_line("the same again in one process", warm, REUSED, MEMCPY, None, 0.46),
        *ratio_line("unverified, reused", warm, UNVERIFIED_REUSED, IPERF3, 2, None),
        *ratio_line("unverified, reused", warm, UNVERIFIED_REUSED, CUBIC, None, 1),
        *file_lines(files),
        *seconds_line("handoff between processes", handed.get(HANDOFF)),
        *seconds_line("handoff of 20 times as much", handed.get(HANDOFF_LARGE)),
        *bytes_line("sender's memory beyond the source", memory.get("sender")),
        *bytes_line("receiver's memory beyond the sink", memory.get("receiver")),
    ]
    print("\n| work | measured | floor | | aim | |\n|---|---|---|---|---|---|")
    for work, measured, floor, aim in judged:
        print(f"| {work} | {measured} | {cell(floor)} | {cell(aim)} |")
    print("\nRatios are of medians within this run. What the window costs is measured by tests/bench/window.sh.")
    return all(floor[1] is not False for _, _, floor, _ in judged)


def cell(demand):
    text, met = demand
    words = {True: "met", False: "NOT MET", None: "not measured" if text else ""}
    return f"{text} | {words[met]}"


def in_cold_rounds(rates):
    """The rounds in which the recipe had no warm pages; nothing where there were none."""
    kept = [number for number, rate in enumerate(rates.get(RECIPE, [])) if rate and rate < RECIPE_COLD]
    return {name: [values[number] for number in kept] for name, values in rates.items()}


def ratio_line(work, rates, name, base, floor, aim):
    own, other = median(rates, name), median(rates, base)
    value = own / other if own and other else None
    measured = f"{value:.2f} x {base}" if value else ""
    return [(work, measured, at_least(floor, value, base), at_least(aim, value, base))]


def file_lines(rates):
    best = max((rate for rate in (median(rates, name) for name in RIVALS_FOR_FILES) if rate), default=None)
    own = median(rates, FILE)
    value = own / best if own and best else None
    measured = f"{value:.2f} x the best of {', '.join(RIVALS_FOR_FILES)}" if value else ""
    return [("warm file to new file", measured, at_least(2, value, "the best"), at_least(3, value, "the best"))]


def at_least(wanted, value, base):
    if wanted is None:
        return "", None
    text = f"{wanted:.0%} of {base}" if wanted < 1 else f"{wanted:g} x {base}"
    return text, None if value is None else value >= wanted


def seconds_line(work, seconds):
    measured = "" if seconds is None else f"{seconds * 1e6:,.0f} microseconds"
    judged = [None if seconds is None else seconds < most for most in (1e-3, 100e-6)]
    return [(work, measured, ("under 1 ms", judged[0]), ("under 100 microseconds", judged[1]))]


def bytes_line(work, number):
    measured = "" if number is None else f"{number / MIB:.1f} MiB"
    judged = [None if number is None else number <= most * MIB for most in (16, 4)]
    return [(work, measured, ("16 MiB", judged[0]), ("4 MiB", judged[1]))]
