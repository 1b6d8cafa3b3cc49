"""Where every number of a release comes from: read back from its bytes, apart from the code that wrote them.

numbers (what is known) · markup (strict HTML tokens) · page and chart (HTML, SVG) · downloads (CSV, JSON) ·
plain (texts, sitemap). Nothing here imports the site that is checked.
"""
