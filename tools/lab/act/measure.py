"""From what phones and courier logged to the table: what arrived, when, what broke, what recovered."""

import dataclasses
import random
import statistics

# A message is late when it took longer; the link's round trip is 0.04 s.
LATE = 1.0
RESAMPLES = 2_000
SEED = 5
# The normal distribution's 97.5th percentile.
Z = 1.959964


@dataclasses.dataclass
class Message:
    """One message of one phone: of which kind, when it was to go, and when it arrived; None where it never did."""

    kind: str
    sent: float
    arrived: float | None = None
    # Delivered from the courier's storage, after a connection was lost.
    was_stored: bool = False

    @property
    def delay(self):
        return None if self.arrived is None else max(0.0, self.arrived - self.sent)


@dataclasses.dataclass
class Phone:
    """What became of one phone while the rule stood: its messages, the times at which connections broke, when messages
    got through, and whether it went on by port 443. All times are seconds since 1970."""

    messages: list
    breaks: list
    passed: list
    fell_back: bool = False

    def recoveries(self):
        """Seconds from each break to the next message that got through; None where none did."""
        found = []
        for at in self.breaks:
            after = [time for time in self.passed if time > at]
            found.append(min(after) - at if after else None)
        return found


def quantile(values, share):
    """As numpy's default (linear between the values around it); None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def wilson_bound(trials):
    """The upper end of Wilson's 95 % interval for none of so many trials."""
    return Z * Z / (trials + Z * Z)


def bootstrap(phones, figure, is_share=True):
    """A figure over all phones, with the 95 % interval that drawing phones anew gives."""
    value = figure(phones)
    if value is None:
        return None
    rng = random.Random(SEED)
    drawn = [figure(rng.choices(phones, k=len(phones))) for _ in range(RESAMPLES)]
    drawn = [d for d in drawn if d is not None]
    if is_share and value in (0, 1):
        # Drawing anew from what never (or always) happened says nothing; with a phone as one trial, Wilson's does.
        bound = wilson_bound(len(phones))
        low, high = (0.0, bound) if value == 0 else (1 - bound, 1.0)
        return {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}
    if len(phones) < 2 or not drawn:
        return {"value": round(value, 4)}
    return {"value": round(value, 4), "low": round(quantile(drawn, 0.025), 4), "high": round(quantile(drawn, 0.975), 4)}


def share(kind, is_meant):
    """The share of a kind's messages that something happened to, as a figure over phones."""

    def figure(phones):
        all_of_kind = [m for p in phones for m in p.messages if m.kind == kind]
        return sum(map(is_meant, all_of_kind)) / len(all_of_kind) if all_of_kind else None

    return figure


def is_lost(message):
    return message.arrived is None


def is_late(message):
    return message.delay is not None and message.delay > LATE


def fate(phones, kind):
    """What became of the messages of one kind."""
    messages = [m for p in phones for m in p.messages if m.kind == kind]
    delays = [m.delay for m in messages if m.delay is not None]
    row = {"sent": len(messages), "lost": sum(map(is_lost, messages)), "late": sum(map(is_late, messages)),
           "from_storage": sum(m.was_stored for m in messages),
           "lost_share": bootstrap(phones, share(kind, is_lost)), "late_share": bootstrap(phones, share(kind, is_late)),
           "hit_share": bootstrap(phones, share(kind, lambda m: is_lost(m) or is_late(m)))}
    if delays:
        row |= {"delay_median_s": round(statistics.median(delays), 3), "delay_p95_s": round(quantile(delays, 0.95), 3)}
    return {k: v for k, v in row.items() if v is not None}


def measured(phones):
    """All figures of one rule."""
    recoveries = [r for p in phones for r in p.recoveries()]
    times = [r for r in recoveries if r is not None]
    row = {"imessage_in": fate(phones, "in"), "imessage_out": fate(phones, "out"),
           "notifications": fate(phones, "notification"), "other_services_sent": fate(phones, "service"),
           "connections_broken_per_phone": bootstrap(phones, lambda some: sum(len(p.breaks) for p in some) / len(some),
                                                     is_share=False),
           "breaks": len(recoveries), "breaks_without_recovery": len(recoveries) - len(times),
           "fallback_share": bootstrap(phones, lambda some: sum(p.fell_back for p in some) / len(some))}
    if times:
        row["recover_s"] = {"median": round(statistics.median(times), 2), "p95": round(quantile(times, 0.95), 2)}
    return row
