"""A Python worker is a file of functions too; it does not have to know Pawl."""
import statistics


def describe(values, ctx):
    """Mean and standard deviation of a list of numbers."""
    for step, _ in enumerate(values, start=1):
        ctx.progress(step / len(values))
    print("described", len(values), "values")
    return {"mean": statistics.fmean(values), "deviation": round(statistics.stdev(values), 3)}
