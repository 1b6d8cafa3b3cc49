"""All of it: `make bench`. Takes about ten minutes; run it on a machine that does nothing else."""

from bench import tabulate, whole

if __name__ == "__main__":
    print("## Counting, against one GROUP BY\n", flush=True)
    tabulate.main(["--scale", "1"])
    print("\n## The whole way\n", flush=True)
    whole.main()
