"""The gate: bytes and decisions. Public inputs only; the modules are imported one by one, so that the
server takes `manifest`, `bundle` and `verify` without what `recheck` needs."""
