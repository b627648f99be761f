//! What a process costs, read from `/proc`.

use std::fs;
use std::time::Duration;

/// Ticks of `/proc/PID/stat` a second: the kernel shows this number to every program on Linux.
const TICKS: u32 = 100;

/// What a process has used since its start, and holds now.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Time on a core, its own and the kernel's for it; in steps of 10 ms.
    pub cpu: Duration,
    /// Memory that is really there (resident set).
    pub memory_mib: f64,
}

impl Usage {
    /// Reads it. The process must be there.
    pub fn of(id: u32) -> Self {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        // The name may hold blanks; behind its bracket `state` is field 3, `utime` 14, `stime` 15.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks: u32 = fields
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u32>().unwrap())
            .sum();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        let kib: u32 = resident.trim().trim_end_matches(" kB").parse().unwrap();
        Self {
            cpu: Duration::from_secs(1) * ticks / TICKS,
            memory_mib: f64::from(kib) / 1024.0,
        }
    }
}
