//! What bytes of a stranger may cost: steps and memory, counted and not timed.

/// What some work has cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// How often it was called, as it counts itself.
    pub steps: u64,
    /// How often it asked for memory.
    pub allocations: u64,
    /// How many bytes it asked for, all in all.
    pub total_bytes: u64,
    /// How many of them it had at most at a time.
    pub most_bytes: u64,
}

/// What it may cost: so much once, and so much more for each byte that comes.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub steps: [u64; 2],
    pub allocations: [u64; 2],
    pub total_bytes: [u64; 2],
    pub most_bytes: [u64; 2],
}

/// What work costs that gives the number of its steps.
pub fn cost(work: impl FnOnce() -> u64) -> Cost {
    let mut steps = 0;
    let info = allocation_counter::measure(|| steps = work());
    Cost {
        steps,
        allocations: info.count_total,
        total_bytes: info.bytes_total,
        most_bytes: info.bytes_max,
    }
}

/// Does the work for so many bytes.
///
/// # Panics
/// It costs more than its budget.
#[track_caller]
pub fn within(budget: Budget, bytes: usize, work: impl FnOnce() -> u64) -> Cost {
    let spent = cost(work);
    let bytes = bytes as u64;
    for (what, spent, [once, each]) in [
        ("steps", spent.steps, budget.steps),
        ("allocations", spent.allocations, budget.allocations),
        ("bytes in all", spent.total_bytes, budget.total_bytes),
        ("bytes at a time", spent.most_bytes, budget.most_bytes),
    ] {
        assert!(
            spent <= once + each * bytes,
            "{spent} {what} for {bytes} bytes, of at most {once} and {each} for each"
        );
    }
    spent
}
