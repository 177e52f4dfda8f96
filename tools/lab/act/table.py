"""The results as people read them: a line, a table in the terminal, ACT.md."""

import textwrap

from act.measure import LATE

COLUMNS = ("rule", "acts on", "incoming iMessages hit", "sent iMessages hit", "notifications hit", "breaks a phone",
           "failed connects a phone", "recovery", "on 443")
DETAILS = ("rule", "what", "sent", "lost", "late", "from storage", "behind another", "delay, median",
           "delay, 95th percentile")
GROUPS = (("imessage_in", "incoming iMessages"), ("imessage_out", "sent iMessages"),
          ("notifications", "notifications"), ("other_services_sent", "other sent"))
# A rule that hits at least so much of a kind stops it; one that hits less than the other leaves it alone.
STOPS, SPARES = 0.5, 0.05
# Where a rule cannot be installed, the kernel or its tools lack a part of it.
UNAVAILABLE = "could not be run here: "


def percent(share, interval=True):
    if share["value"] is None:
        return "-"
    text = f"{share['value'] * 100:.0f} %"
    return text + (f" ({share['low'] * 100:.0f}-{share['high'] * 100:.0f})" if interval else "")


def seconds(value):
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def span(figures, name):
    value, interval = figures[f"{name}_s"], figures[f"{name}_interval_s"]
    if value is None:
        return "-"
    return f"{seconds(value)} ({seconds(interval['low'])} to {seconds(interval['high'])})"


def was_run(entry):
    return "notifications" in entry


def hit(entry, group):
    return entry[group]["hit_share"]["value"]


def in_short(entry):
    """One line of the progress."""
    if not was_run(entry):
        return entry["notes"][0]
    shares = ", ".join(f"{words} {percent(entry[group]['hit_share'], False)}" for group, words in GROUPS)
    breaks = entry["connections_broken_per_phone"]["value"]
    return f"hit: {shares}; {breaks:.1f} breaks a phone; {entry['packets_hit']} packets met"


def row(entry):
    if not was_run(entry):
        return [entry["title"], entry["unit"], entry["notes"][0], *("-" * 6)]
    broken, failed = entry["connections_broken_per_phone"], entry["failed_connects_per_phone"]
    return [entry["title"], entry["unit"], *(percent(entry[group]["hit_share"]) for group, _ in GROUPS[:3]),
            f"{broken['value']:.1f} ({broken['low']:.1f}-{broken['high']:.1f})", f"{failed['value']:.1f}",
            recovery(entry), percent(entry["fallback_share"], False)]


def recovery(entry):
    if not entry["breaks"]:
        return "no break"
    if "recover_s" not in entry:
        return "none before the end"
    text = f"{seconds(entry['recover_s']['median'])}, 95 %: {seconds(entry['recover_s']['p95'])}"
    if entry["breaks_without_recovery"]:
        text += f"; {entry['breaks_without_recovery']} of {entry['breaks']} not before the end"
    return text


def terminal(found):
    rows = [list(COLUMNS), *(row(entry) for entry in found["rules"])]
    widths = [max(len(r[c]) for r in rows if UNAVAILABLE not in r[c]) for c in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(r, widths)).rstrip() for r in rows)


def markdown(header, rows, words=1):
    """A table whose first columns, as many as `words`, are text."""
    lines = ["| " + " | ".join(header) + " |",
             "| " + " | ".join("---" if number < words else "---:" for number in range(len(header))) + " |"]
    return lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in r) + " |" for r in rows]


def sentence(entry):
    """What one rule did, in words that only its figures decide."""
    parts = "; ".join(f"{words} {percent(entry[group]['hit_share'], False)} "
                      f"({percent(entry[group]['lost_share'], False)} lost)" for group, words in GROUPS)
    return f"**{entry['title']}** (`{entry['name']}`): {entry['what']}. Hit: {parts}. {verdict(entry)}"


def verdict(entry):
    """Who is stopped, disturbed, left alone."""
    words = {}
    for group, what in GROUPS[:3]:
        share = hit(entry, group)
        place = "stopped or late" if share >= STOPS else "left alone" if share < SPARES else "disturbed"
        words.setdefault(place, []).append(what)
    if len(words) == 1:
        return f"All three are {next(iter(words))}."
    text = "; ".join(f"{' and '.join(words[place])} are {place}"
                     for place in ("stopped or late", "disturbed", "left alone") if place in words)
    return text[0].upper() + text[1:] + "."


def selective(entries):
    """Rules that hit iMessage and leave notifications alone, as sentences from the figures."""
    lines = []
    for group, words in GROUPS[:2]:
        effective = [e for e in entries if was_run(e) and hit(e, group) >= STOPS]
        chosen = [e for e in effective if hit(e, "notifications") < SPARES]
        if chosen:
            names = ", ".join(f"`{e['name']}` ({percent(e[group]['hit_share'])} against "
                              f"{percent(e['notifications']['hit_share'])}; {through(e[group])})" for e in chosen)
            lines.append(f"Rules that hit at least half of the {words} and fewer than 5 % of the notifications: {names}.")
            continue
        text = f"No rule hit half of the {words} and fewer than 5 % of the notifications."
        if effective:
            least = min(effective, key=lambda e: hit(e, "notifications"))
            text += (f" The least that one of them cost in notifications is "
                     f"{percent(least['notifications']['hit_share'])} (`{least['name']}`).")
        lines.append(text)
    spared = [e for e in entries if was_run(e) and hit(e, "imessage_out") >= STOPS and hit(e, "other_services_sent") < SPARES]
    if not spared:
        lines.append("No rule that hit half of the sent iMessages left Apple's other sent messages alone.")
    return lines


def through(figures):
    if figures["delay_median_s"] is None:
        return "none came through"
    return f"{percent(figures['lost_share'], False)} lost, median delay of the others {seconds(figures['delay_median_s'])}"


def wrapped(text):
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def bullet(text):
    return textwrap.fill(" ".join(text.split()), 120, initial_indent="- ", subsequent_indent="  ",
                         break_long_words=False, break_on_hyphens=False)


def page(found):
    """ACT.md."""
    ran = [entry for entry in found["rules"] if was_run(entry)]
    lines = ["# What a rule does on a live connection", "", *introduction(found)]
    lines += ["## In short", "", *map(bullet, selective(ran)), ""]
    lines += ["## What was hit", "", *markdown(COLUMNS, [row(e) for e in found["rules"]], 2), ""]
    lines += ["## Lost, late, delayed", ""]
    lines += markdown(DETAILS, [
        [e["name"], words, str(e[group]["sent"]), percent(e[group]["lost_share"]), percent(e[group]["late_share"]),
         str(e[group]["from_storage"]), str(e[group]["behind_another"]), span(e[group], "delay_median"),
         span(e[group], "delay_p95")] for e in ran for group, words in GROUPS], 2)
    lines += ["", "## Each rule", ""]
    for entry in found["rules"]:
        lines += of_rule(entry)
    return "\n".join(lines + ["## What is real, what is assumed", "", *map(bullet, limits(found)), ""])


def introduction(found):
    script = found["script"]
    low, high = script["gap_s"]
    return [
        wrapped("Generated by `tools/lab/run act --keep`; `Sources/Separability/Resources/act.json` has the same "
                "figures and more."), "",
        wrapped(f"{found['repetitions']} phones at once for each rule, in real time, each with an address, a connection "
                f"and a script of its own (seed {found['seed']}, the same script for every rule): "
                f"{script['notifications']} notifications, {script['imessages_incoming']} incoming and "
                f"{script['imessages_sent']} sent iMessages with typing and receipts, and "
                f"{len(script['other_services_sent'])} sent messages of other Apple services "
                f"({', '.join(script['other_services_sent'])}), one every {low:.0f} to {high:.0f} s, then "
                f"{script['tail_s']:.0f} s. The rule is given to the kernel of the access network after "
                f"{script['quiet_s']:.0f} quiet seconds and stays to the end. Round trip "
                f"{2 * found['link']['delay_ms']} ms."), "",
        wrapped(f"**Hit** is lost, or more than {LATE:.0f} s late. **Lost** is not there when the window ends, though it "
                "may come once the rule is lifted; or never, because APNs keeps only the newest notification of an app for "
                "a phone that is away. Delays count from the moment of sending and are of what arrived. *From storage* came "
                "after a reconnect; *behind another* is what a phone wanted to send and could not begin with, because the "
                "message before was stuck. Recovery is from a break to the first message that got through; a break in the "
                "last 10 s does not count for it, and a connection that was never complete is "
                "a failed connect, not a break. In brackets: 95 % intervals by bootstrap over phones; where all phones "
                "are alike, Wilson's over phones. The first row has no rule and shows what the lab costs by itself."), ""]


def of_rule(entry):
    if not was_run(entry):
        return [f"**{entry['title']}** (`{entry['name']}`): {entry['notes'][0]}", ""]
    lines = [wrapped(sentence(entry) + "".join(f" {note}" for note in entry["notes"])), ""]
    if entry["commands"]:
        lines += ["```", *entry["commands"], "```", ""]
    if entry["queue"]:
        lines += [f"Behind the queue stands `tools/lab/act/packet_queue.py {entry['queue']}`.", ""]
    return lines


def limits(found):
    script, host = found["script"], found["host"]
    return [
        "Real: the kernel's filters, TCP with its copies and time-outs, TLS, the courier's framing, and the clock.",
        "Modelled: the courier and the phones (tools/lab/Courier). A phone reconnects after 1, 2, then every 4 s, and "
        "tries 443 when TCP or TLS to 5223 fails; it stays on a port that accepts and then stalls. When the courier's first "
        "answers do not come within 10 s of TLS, it tries no more: phones that stay away so are in `drop-incoming`, and a few in "
        "`reset-incoming` and `cut-after-bytes`.",
        f"Assumed: a connection whose data is not acknowledged is given up after {script['patience_s']:.0f} s; a message "
        f"is sent again on each new connection until {script['give_up_s']:.0f} s have passed; a phone sends one message "
        "after the other and waits for the courier's word. With other numbers these figures change.",
        "Assumed, and it matters most for rules on sent records: the courier goes on sending to a phone whose "
        "acknowledgements of messages do not come. TCP's own acknowledgements do come while one direction stands still, so "
        "nothing in TCP stops it. If Apple's courier gives up such a connection sooner, notifications are late by what a "
        "break costs.",
        "Not measured: a phone's day. A window of a minute and a half has far more messages than one; breaks a phone are of "
        "this window. All traffic is the courier's, what a rule hits of other servers is not in this table.",
        "A rule on records is told the lab's own lengths, in IPv4 packets with TCP timestamps. A real phone's lengths vary "
        "more. 198.18.16.2 and 198.18.16.3 stand for couriers; in the captures they have addresses of Apple's push prefix.",
        f"The machine (Linux {host['kernel']}, {host['iptables']}) did other work at the same time: delays below a second "
        "have noise, as the row without a rule shows."]
