//! Processor time of a process with all that it started.

/// Processor seconds of a process and of its children, that still run or were waited for.
pub(crate) fn processor_seconds(root: u32) -> anyhow::Result<f64> {
    let children = std::fs::read_to_string(format!("/proc/{root}/task/{root}/children"))?;
    let mut processes = vec![root];
    processes.extend(children.split_ascii_whitespace().filter_map(|id| id.parse::<u32>().ok()));
    let mut total = 0.0;
    for process in processes {
        total += manometer_testkit::usage::of_with_ended_children(process)?.as_secs_f64();
    }
    Ok(total)
}
