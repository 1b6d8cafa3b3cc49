"""Protected tables and page files -> the bytes of the site: pages, charts, downloads. Pure rendering."""

from clerestory.site.files import SiteFile
from clerestory.site.render import package_assets, render

__all__ = ["SiteFile", "package_assets", "render"]
