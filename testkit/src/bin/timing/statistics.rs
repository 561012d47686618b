//! Welch's t with dudect's cropping.

/// The measurements of one class, in nanoseconds.
pub(crate) struct Class {
    pub(crate) name: &'static str,
    /// The class this one must not differ from; itself for a baseline.
    pub(crate) baseline: usize,
    /// This one must be found: it shows that the measurement can see.
    pub(crate) control: bool,
    times: Vec<u32>,
}

impl Class {
    pub(crate) fn new(name: &'static str, baseline: usize, samples: usize) -> Self {
        Self { name, baseline, control: false, times: Vec::with_capacity(samples) }
    }

    pub(crate) fn control(name: &'static str, baseline: usize, samples: usize) -> Self {
        Self { control: true, ..Self::new(name, baseline, samples) }
    }

    pub(crate) fn add(&mut self, time: std::time::Duration) {
        self.times.push(u32::try_from(time.as_nanos()).unwrap_or(u32::MAX));
    }

    /// Number, mean and variance of what is at most `limit`.
    fn moments(&self, limit: u32) -> (f64, f64, f64) {
        let (mut n, mut mean, mut m2) = (0.0, 0.0, 0.0);
        for time in self.times.iter().filter(|t| **t <= limit) {
            n += 1.0;
            let delta = f64::from(*time) - mean;
            mean += delta / n;
            m2 += delta * (f64::from(*time) - mean);
        }
        (n, mean, m2 / (n - 1.0))
    }
}

/// A t beyond this is a finding: chance alone gives one in a hundred thousand.
const FINDING: f64 = 4.5;
/// The share of measurements that is kept, fastest first.
const KEPT: [f64; 6] = [1.0, 0.99, 0.95, 0.8, 0.5, 0.2];

/// Welch's t between two classes over measurements of at most `limit`, with the difference of the means and its
/// standard error.
fn welch(a: &Class, b: &Class, limit: u32) -> (f64, f64, f64) {
    let ((n, mean, variance), (bn, bmean, bvariance)) = (a.moments(limit), b.moments(limit));
    let error = (variance / n + bvariance / bn).sqrt();
    ((mean - bmean) / error, mean - bmean, error)
}

/// Prints a table; gives whether nothing was found but the controls.
pub(crate) fn report(classes: &[Class]) -> bool {
    println!("{:<52} {:>9} {:>10} {:>16} {:>8}", "class", "samples", "mean ns", "difference ns", "max |t|");
    let mut quiet = true;
    for class in classes {
        let baseline = &classes[class.baseline];
        let (n, mean, _) = class.moments(u32::MAX);
        if core::ptr::eq(class, baseline) {
            println!("{:<52} {n:>9} {mean:>10.1} {:>16} {:>8}", class.name, "baseline", "");
            continue;
        }
        let mut pooled: Vec<u32> = class.times.iter().chain(&baseline.times).copied().collect();
        pooled.sort_unstable();
        let mut worst = (0.0_f64, 0.0, 0.0);
        for kept in KEPT {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let at = ((pooled.len() - 1) as f64 * kept) as usize;
            let seen = welch(class, baseline, pooled[at]);
            if seen.0.abs() > worst.0.abs() {
                worst = seen;
            }
        }
        let (t, difference, error) = worst;
        let found = t.abs() > FINDING;
        let verdict = match (found, class.control) {
            (true, true) => "found, as it must be",
            (false, true) => "CONTROL NOT FOUND: too few samples or too noisy",
            (true, false) => "DIFFERS",
            (false, false) => "",
        };
        quiet &= found == class.control;
        let difference = format!("{difference:+.1} ± {error:.1}");
        println!("{:<52} {n:>9} {mean:>10.1} {difference:>16} {:>8.2} {verdict}", class.name, t.abs());
    }
    println!();
    quiet
}
