//! A child process that cannot outlive its test: captured, limited in time, killed on drop.

use std::io::{self, Read, Write};
use std::process::{Child as Process, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// No row may keep a child longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(15);

/// Bytes that a thread collects from a pipe.
#[derive(Clone, Default)]
struct Collected(Arc<(Mutex<Bytes>, Condvar)>);

#[derive(Default)]
struct Bytes {
    all: Vec<u8>,
    ended: bool,
}

impl Collected {
    fn from(mut pipe: impl Read + Send + 'static) -> Self {
        let collected = Self::default();
        let shared = collected.clone();
        thread::spawn(move || {
            let mut chunk = [0; 16 * 1024];
            loop {
                // A pipe that fails has ended as far as a test is concerned.
                let n = pipe.read(&mut chunk).unwrap_or(0);
                let mut bytes = shared.lock();
                bytes.all.extend_from_slice(&chunk[..n]);
                bytes.ended = n == 0;
                shared.0.1.notify_all();
                if n == 0 {
                    return;
                }
            }
        });
        collected
    }

    fn lock(&self) -> MutexGuard<'_, Bytes> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `enough` says so, the pipe ends or the time is over.
    fn wait(&self, until: Instant, enough: impl Fn(&[u8]) -> bool) -> MutexGuard<'_, Bytes> {
        let mut bytes = self.lock();
        while !enough(&bytes.all) && !bytes.ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            bytes = self.0.1.wait_timeout(bytes, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        bytes
    }
}

/// A running child.
pub(crate) struct Child {
    name: String,
    process: Process,
    stdin: Option<ChildStdin>,
    stdout: Collected,
    stderr: Collected,
    /// How much of stdout was read.
    read: usize,
    /// Where stdout and stderr were when the row began.
    row: (usize, usize),
    until: Instant,
}

impl Child {
    /// Starts it, with pipes.
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        Self::start_on(command, Stdio::piped())
    }

    /// Starts it on this input.
    pub(crate) fn start_on(command: &mut Command, stdin: Stdio) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let args: Vec<_> = command.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        let name = format!("{name} {}", args.join(" "));
        let piped = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = piped.spawn().map_err(|e| format!("{name}: {e}"))?;
        let stdin = process.stdin.take();
        let stdout = Collected::from(process.stdout.take().expect("a piped stdout"));
        let stderr = Collected::from(process.stderr.take().expect("a piped stderr"));
        Ok(Self { name, process, stdin, stdout, stderr, read: 0, row: (0, 0), until: Instant::now() + LIMIT })
    }

    /// A row begins: for children that serve many of them, each with its own time.
    pub(crate) fn begin_row(&mut self) {
        self.row = (self.stdout.lock().all.len(), self.stderr.lock().all.len());
        self.until = Instant::now() + LIMIT;
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// Ends the child's input.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Takes the child's input, for a pump.
    pub(crate) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// A second reader of stdout, for a pump.
    pub(crate) fn output(&self) -> Output {
        Output { collected: self.stdout.clone(), read: 0 }
    }

    /// Waits until the child ends; kills it when its time is over. True if it ended well.
    pub(crate) fn wait(&mut self) -> Result<bool, String> {
        drop(self.stdout.wait(self.until, |_| false));
        loop {
            match self.process.try_wait() {
                Ok(Some(status)) => return Ok(status.success()),
                Ok(None) if Instant::now() < self.until => thread::sleep(Duration::from_millis(1)),
                Ok(None) => {
                    self.kill();
                    return Err(self.story(&format!("killed after {} s", LIMIT.as_secs())));
                }
                Err(e) => return Err(self.story(&e.to_string())),
            }
        }
    }

    pub(crate) fn kill(&mut self) {
        // Fails only if the child has ended already.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }

    /// The next line of stdout, without its end.
    pub(crate) fn read_line(&mut self) -> Result<String, String> {
        let from = self.read;
        let bytes = self.stdout.wait(self.until, |all| all[from..].contains(&b'\n'));
        let line = bytes.all[from..].split_inclusive(|b| *b == b'\n').next().unwrap_or_default().to_vec();
        drop(bytes);
        self.read += line.len();
        match line.strip_suffix(b"\n") {
            Some(line) => Ok(String::from_utf8_lossy(line).trim_end().to_owned()),
            None => Err(self.story("no whole line came")),
        }
    }

    pub(crate) fn write_line(&mut self, line: &str) -> Result<(), String> {
        self.write_all(format!("{line}\n").as_bytes())
            .and_then(|()| self.flush())
            .map_err(|e| self.story(&e.to_string()))
    }

    /// What happened, with everything the child said.
    pub(crate) fn story(&self, what: &str) -> String {
        let tail = |bytes: &Collected, from: usize| {
            let all = &bytes.lock().all;
            String::from_utf8_lossy(&all[all.len().saturating_sub(2000).max(from)..]).trim().to_owned()
        };
        let mut story = format!("{what}\n      command: {}", self.name);
        for (name, text) in [("stdout", tail(&self.stdout, self.row.0)), ("stderr", tail(&self.stderr, self.row.1))] {
            // A payload is lower case letters: no news.
            let news: Vec<&str> = text.lines().filter(|l| !l.bytes().all(|b| b.is_ascii_lowercase())).collect();
            if !news.is_empty() {
                story += &format!("\n      {name}: {}", news.join("\n        "));
            }
        }
        story
    }
}

impl Read for Child {
    /// Reads from the child's output.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut output = Output { collected: self.stdout.clone(), read: self.read };
        let n = output.read_until(buf, self.until)?;
        self.read += n;
        Ok(n)
    }
}

impl Write for Child {
    /// Writes to the child's input.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stdin.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a child writes.
pub(crate) struct Output {
    collected: Collected,
    read: usize,
}

impl Output {
    fn read_until(&mut self, buf: &mut [u8], until: Instant) -> io::Result<usize> {
        let from = self.read;
        let bytes = self.collected.wait(until, |all| all.len() > from);
        let fresh = &bytes.all[from..];
        if fresh.is_empty() && !bytes.ended {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the child said nothing more in its time"));
        }
        let n = fresh.len().min(buf.len());
        buf[..n].copy_from_slice(&fresh[..n]);
        self.read += n;
        Ok(n)
    }
}

impl Read for Output {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_until(buf, Instant::now() + LIMIT)
    }
}
