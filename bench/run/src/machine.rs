//! What the figures were measured on.

use serde::Serialize;

/// The processor, by what makes a difference to the primitives.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub processor: String,
    pub threads: usize,
    /// Those of [`NOTED`] that it has.
    pub features: Vec<&'static str>,
    /// Processes that wanted a core in the last minute, when the run began: far above 0, and medians are noisy.
    pub load: String,
}

const NOTED: [&str; 7] = ["aes", "avx2", "vaes", "vpclmulqdq", "avx512f", "avx512ifma", "sha_ni"];

pub(crate) fn look() -> Machine {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find(|l| l.starts_with(name));
        line.and_then(|l| l.split_once(':')).map_or("unknown", |(_, value)| value.trim())
    };
    let flags: Vec<&str> = field("flags").split(' ').collect();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    Machine {
        processor: field("model name").to_string(),
        threads: std::thread::available_parallelism().map_or(0, usize::from),
        features: NOTED.into_iter().filter(|f| flags.contains(f)).collect(),
        load: load.split(' ').next().unwrap_or("unknown").to_string(),
    }
}

impl Machine {
    pub(crate) fn line(&self) -> String {
        format!(
            "{}, {} threads, {}; load when the run began: {}",
            self.processor,
            self.threads,
            self.features.join(" "),
            self.load
        )
    }
}
