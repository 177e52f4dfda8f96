"""What the access network lets through: nftables rules in the network between phone and servers, as on an aircraft.

The lab's network may do this; Wiretag itself only watches.
"""

from apps import App as Base
from network import LabError
from stage import RESOLVER


class App(Base):
    software = "The access network's rules: Linux's nftables"
    needs = {"nft": "nftables"}

    def do_allow_only(self, hosts, ports=None, refuse="drop"):
        """Only these hosts (and the resolver) are reached; all else is dropped or refused."""
        if refuse not in ("drop", "reject"):
            raise LabError(f"'refuse' is drop or reject, not '{refuse}'")
        known = [self.stage.hosts[name] for name in hosts if name in self.stage.hosts]
        if len(known) != len(hosts):
            raise LabError(f"not in this scenario: {', '.join(h for h in hosts if h not in self.stage.hosts)}")
        v4 = ", ".join([RESOLVER[0], *(h.v4 for h in known if h.v4)])
        v6 = ", ".join([RESOLVER[1], *(h.v6 for h in known if h.v6)])
        limit = f"tcp dport {{ {', '.join(map(str, ports))}, 53 }}" if ports else ""
        last = "reject with tcp reset" if refuse == "reject" else "drop"
        rules = f"""
            table inet lab {{
              chain forward {{
                type filter hook forward priority 0; policy accept;
                icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
                iifname "up0" ct state established,related accept
                udp dport 53 accept
                ip daddr {{ {v4} }} {limit} accept
                ip6 daddr {{ {v6} }} {limit} accept
                meta l4proto tcp {last}
                drop
              }}
            }}"""
        # Without connection tracking in the kernel everything from the servers is let through instead.
        for text in (rules, rules.replace("ct state established,related accept", "accept")):
            self.do_lift()
            try:
                self.stage.run("access", "nft", "-f", "-", text=text)
                return
            except LabError as error:
                problem = error
        raise problem

    def do_lift(self):
        self.stage.run("access", "nft", "delete", "table", "inet", "lab", check=False)
