// Pages may hold: self-contained HTML pages: escaped markup, tables, figures and plots as SVG. Knows nothing of traffic.
