"""From a raw capture of the lab to a finished sample: reading, rewriting, writing, and its truth."""
