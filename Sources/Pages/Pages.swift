// Pages may hold:
