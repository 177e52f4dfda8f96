"""The apps of a phone's day: one file each, with the servers they need, their clients, and the verbs of a scenario.

A file NAME.py has a class `App` as App below says; a scenario's `apps:` names it. Files that end in
_client.py, _server.py or _agent.py are the programs that an app starts inside (agent.py).
"""

import importlib
import threading

from network import LabError


class App:
    """What every app has; an app overrides what it needs."""

    # One sentence each, for MANIFEST.md: what is real software here, and what is modelled.
    software = ""
    modelled = ""
    # Programs (as in PATH: Debian's package) that it needs.
    needs = {}

    def __init__(self, stage, settings):
        """Asks the stage for its hosts; no network is up yet."""
        self.stage, self.settings = stage, settings or {}

    def start_servers(self):
        """Starts servers inside and waits until they listen."""

    def start_clients(self):
        """Starts steered clients; what they send from now on may be captured."""

    def act(self, do, **fields):
        """One act of the plan, to its end: the verb's method of the same name."""
        verb = getattr(self, f"do_{do}", None)
        if verb is None:
            raise LabError(f"the app '{type(self).__module__.split('.')[-1]}' has no verb '{do}'")
        return verb(**{("sender" if k == "from" else k): v for k, v in fields.items()})

    def versions(self):
        """Name and version of the programs that took part, as printed by themselves."""
        return []


def load(name, stage, settings):
    try:
        module = importlib.import_module(f"apps.{name.replace('-', '_')}")
    except ModuleNotFoundError as error:
        if error.name == f"apps.{name.replace('-', '_')}":
            raise LabError(f"there is no app '{name}' in tools/lab/apps") from None
        raise
    return module.App(stage, settings)


def together(acts):
    """Does several acts at once and gives their results; the first error is raised."""
    results, errors = [None] * len(acts), []

    def run(number, act):
        try:
            results[number] = act()
        except Exception as error:  # told below, in the thread that waits
            errors.append(error)
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
