"""The result as a page for people."""

HEAD = """# What a rule does to live connections

Made by `tools/lab/run act` on {made}: {repetitions} phones a rule, all at once, each on its own TLS connection to a courier
over a link of 20 ms each way, in real time. After {quiet:g} quiet seconds the rule is installed in the access network by the
kernel's own filters and stays. Each phone then gets {notifications} notifications and {incoming} iMessages, sends {sent}
iMessages (with typing, receipts, and {services} other messages of Apple's services in between), about one every two
seconds, and has {tail:g} seconds to recover. Phones reconnect by themselves after 1, 2, 4, 4, ... seconds, try 443 when
5223 cannot be reached within 5, send again what was not acknowledged, and give up a connection whose data nobody
acknowledges for {patience:g} seconds. Kernel {kernel}, {iptables}.

*Lost*: not there at the end. *Late*: took more than {late:g} s. In parentheses: 95 % intervals, by drawing phones anew.
Of an app's notifications the courier keeps only the newest while a phone is away, as Apple's does; the others are lost.
The machine did other work at the same time; the row *control* shows what that costs.

| rule | sent iMessages lost, late | received iMessages lost, late | notifications lost, late | other services' sent messages lost, late | median, 95 % delay of notifications, s | breaks a phone | seconds to recover | on 443 |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def percent(estimate):
    if not estimate:
        return "-"
    words = f"{estimate['value']:.0%}"
    if "low" in estimate:
        words += f" ({estimate['low']:.0%} to {estimate['high']:.0%})"
    return words.replace("%", " %")


def fate(row):
    return f"{percent(row.get('lost_share'))}, {percent(row.get('late_share'))}" if row else "-"


def number(value):
    return "-" if value is None else f"{value:.2f}"


def line(rule):
    if "notifications" not in rule:
        return f"| **{rule['title']}** | {'; '.join(rule['notes'])} | | | | | | | |"
    notes = rule["notifications"]
    broken, recover = rule["connections_broken_per_phone"], rule.get("recover_s") or {}
    recovery = f"{number(recover.get('median'))}, {number(recover.get('p95'))}" if recover else "-"
    if rule.get("breaks_without_recovery"):
        recovery += f"; {rule['breaks_without_recovery']} of {rule['breaks']} breaks never"
    return (f"| **{rule['title']}** | {fate(rule['imessage_out'])} | {fate(rule['imessage_in'])} | {fate(notes)} "
            f"| {fate(rule['other_services_sent'])} "
            f"| {number(notes.get('delay_median_s'))}, {number(notes.get('delay_p95_s'))} "
            f"| {broken['value']:.2f} | {recovery} | {percent(rule['fallback_share'])} |")


def page(result):
    script = result["script"]
    text = HEAD.format(
        made=result["made"], repetitions=result["repetitions"], quiet=script["quiet_s"], tail=script["tail_s"],
        notifications=script["notifications"], incoming=script["imessages_incoming"], sent=script["imessages_sent"],
        services=len(script["other_services_sent"]), patience=script["patience_s"], kernel=result["host"]["kernel"],
        iptables=result["host"]["iptables"], late=result["late_s"])
    text += "\n".join(line(rule) for rule in result["rules"]) + "\n\n## The rules\n"
    for rule in result["rules"]:
        text += f"\n**{rule['title']}** (`{rule['name']}`, acts on: {rule['unit']}): {rule['what']}."
        if rule.get("packets_matched"):
            text += f" Packets matched: {', '.join(map(str, rule['packets_matched']))}."
        for note in rule["notes"]:
            text += f" {note[0].upper()}{note[1:]}."
        text += "\n"
        if rule["commands"]:
            text += "\n```\n" + "\n".join(rule["commands"]) + "\n```\n"
    return text
