"""What happens to each phone while a rule stands: a seed gives every phone its own mix, the same for every rule."""

import dataclasses
import random

from scenario import Lengths

# All seconds are from the rule's beginning, but for QUIET, the time before it.
QUIET = 9.0
GAP = (2.0, 4.0)
TAIL = 30.0
# In the tail a silent push asks now and then whether the phone is there; it counts for recovery only.
PROBE = 3.0
NOTIFICATIONS, INCOMING, OUTGOING = 12, 6, 6
# Other messages of Apple's services that a phone sends: as long as a text, but none.
SERVICES = ("status.findmy", "status.alloy", "facetime.ring")
# Shares of the alerts' kinds; silent pushes' share is assumed (scenarios/notifications-day.yaml).
KINDS = {"short": 10, "chat": 12, "rich": 6, "silent": 6}
TOPICS = {"com.example.news": 4, "com.example.mail": 6, "com.example.chat": 12, "com.example.shop": 3, "com.example.bank": 1,
          "com.example.games": 2, "com.example.weather": 2}
# Seconds after which a phone gives up sending a message: assumed, longer than a dead connection is kept.
GIVE_UP = 30.0
# Seconds for which a phone keeps a connection whose data is not acknowledged; of the lab's phone.
PATIENCE = 20.0


@dataclasses.dataclass(frozen=True)
class Act:
    """At a second after the rule began, somebody does something: the server (`notify`, `probe`, `incoming`, `read`)
    or the phone (`text`, `typing`, `read_up`, or a service's name)."""

    at: float
    what: str
    fields: dict

    @property
    def is_servers(self):
        return self.what in ("notify", "probe", "incoming", "read")


def script(seed, phone):
    """All acts of one phone in the order of their times, first those before the rule (at negative seconds)."""
    rng = random.Random(f"{seed}/{phone}")
    alert, chat = Lengths("alert-body"), Lengths("chat-message")

    def notify():
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        topic = rng.choices(list(TOPICS), list(TOPICS.values()))[0]
        characters = 0 if kind == "silent" else round(alert.draw(rng))
        return {"kind": kind, "topic": topic, "characters": characters}

    def words():
        return {"characters": min(160, round(chat.draw(rng)))}

    acts = [Act(-QUIET + 2, "incoming", words()), Act(-QUIET + 3.5, "text", words()), Act(-QUIET + 5, "notify", notify())]
    kinds = ["notify"] * NOTIFICATIONS + ["incoming"] * INCOMING + ["text"] * OUTGOING + list(SERVICES)
    rng.shuffle(kinds)
    at = rng.uniform(0.5, 2)
    for what in kinds:
        if what == "text":
            acts += [Act(at - rng.uniform(1, 1.8), "typing", {}), Act(at, "text", words())]
            acts.append(Act(at + rng.uniform(1.2, 1.9), "read", {}))
        elif what == "incoming":
            acts += [Act(at, "incoming", words()), Act(at + rng.uniform(0.8, 1.8), "read_up", {})]
        else:
            acts.append(Act(at, what, notify() if what == "notify" else {}))
        at += rng.uniform(*GAP)
    end = at + TAIL
    while at < end - PROBE:
        acts.append(Act(at, "probe", {"kind": "silent", "topic": "com.example.cloud", "characters": 0}))
        at += PROBE
    return sorted(acts, key=lambda act: act.at)


def length(acts):
    """Seconds from the rule's beginning to the end of the tail."""
    return max(act.at for act in acts) + PROBE


def described():
    """The script as the results tell it."""
    return {"quiet_s": QUIET, "gap_s": list(GAP), "tail_s": TAIL, "notifications": NOTIFICATIONS, "imessages_incoming": INCOMING,
            "imessages_sent": OUTGOING, "other_services_sent": list(SERVICES), "kinds": KINDS, "give_up_s": GIVE_UP,
            "patience_s": PATIENCE}
