"""What a rule lets a censor do: the kernel's own filters on the access network, against live courier connections."""
