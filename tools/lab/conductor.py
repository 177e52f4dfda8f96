"""Plays a plan: one act after the other, on a clock that leaves out the idle time between them.

Within an act everything takes the time it takes. Between two acts the conductor waits until the line is quiet and then
makes the scenario's clock jump to the next one. Acts in the background (calls) stop the clock from jumping until they
have ended. The jumps are applied to the packets' times when the sample is finished.
"""

import subprocess
import threading
import time

from network import LabError

SHORT_GAP = 0.3


class Conductor:
    """The clock of a scenario and the acts on it."""

    def __init__(self, stage, apps, say):
        self.stage, self.apps, self.say = stage, apps, say
        # (real second, what is added to real time from then on)
        self.jumps, self.offset, self.started = [], 0.0, time.time()
        self.background, self.failures = [], []

    def now(self):
        """Seconds of the scenario's clock."""
        return time.time() + self.offset - self.started

    def play(self, plan):
        for act in plan:
            self._wait(act.at)
            self._raise()
            if act.background:
                thread = threading.Thread(target=self._guarded, args=(act,), daemon=True)
                thread.start()
                self.background.append(thread)
            else:
                self._perform(act)
        for thread in self.background:
            thread.join(600)
        self._raise()
        self.stage.wait_until_quiet()

    def pass_time(self, until):
        """Lets the clock run to a second after the last act."""
        self._wait(until)

    def _perform(self, act):
        fields = " ".join(f"{k}={v}" for k, v in act.fields.items())
        self.say(f"{clock(act.at)}  {act.app}.{act.do} {fields}")
        if act.app not in self.apps:
            raise LabError(f"no app '{act.app}' takes part")
        try:
            self.apps[act.app].act(act.do, **act.fields)
        except (LabError, subprocess.TimeoutExpired):
            if not act.fails:
                raise
        else:
            if act.fails:
                raise LabError(f"{act.app}.{act.do} was to fail and did not")

    def _guarded(self, act):
        try:
            self._perform(act)
        except Exception as error:  # told to the one who plays, who ends the run
            self.failures.append(f"{act.app}.{act.do}: {error}")

    def _raise(self):
        if self.failures:
            raise LabError(self.failures[0])

    def _wait(self, at):
        while True:
            gap = at - self.now()
            if gap <= 0:
                return
            self.background = [t for t in self.background if t.is_alive()]
            if gap <= SHORT_GAP or self.background:
                time.sleep(min(gap, 0.1))
                continue
            self.stage.wait_until_quiet()
            gap = at - self.now()
            if gap > SHORT_GAP and not any(t.is_alive() for t in self.background):
                self.offset += gap
                self.jumps.append((time.time(), self.offset))


def clock(seconds):
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole % 3600 // 60:02}:{whole % 60:02}"
