"""All of it: `make bench`. Takes about twenty minutes; run it on a machine that does nothing else."""

from bench import cell_key, ledger, optimum, peers, scale, serve, tabulate, verify, whole

if __name__ == "__main__":
    print("## Counting, against one GROUP BY\n", flush=True)
    tabulate.main(["--scale", "1"])
    print("\n## The whole way\n", flush=True)
    whole.main()
    print("\n## Protection at scale\n", flush=True)
    scale.main([])
    print("\n## Cell keys\n", flush=True)
    cell_key.main()
    print("\n## Against the optimum\n", flush=True)
    optimum.main(["--random", "8", "--cells", "60"])
    optimum.main(["--real"])
    print("\n## Beside the peers\n", flush=True)
    peers.main(["--case", "custody", "--peers", "small counts alone", "tau-ARGUS MOD"])
    print("\n## The gate\n", flush=True)
    verify.main()
    ledger.main()
    print("\n## Serving\n", flush=True)
    serve.main([])
