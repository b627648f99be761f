//! The port: a path of a tty becomes a stream of bytes that is ours alone.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_serial::{ClearBuffer, ErrorKind, SerialPort, SerialPortBuilderExt, SerialStream};

/// Anything that carries bytes both ways.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// What opens a wire, again and again: a tty, or a pipe in a test.
pub trait Connect: Send + Sync + 'static {
    /// The name that people know it by.
    fn name(&self) -> String;

    /// What it runs over.
    fn line(&self) -> Line;

    /// Opens it for us alone, at `baud` where it has a real line.
    fn connect(&self, baud: u32) -> Connecting<'_>;
}

/// What a port runs over, as far as its speed matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Nothing that has a speed.
    Memory,
    /// USB or a pseudo-terminal: the modem itself as a rule, which does not care, but there may be a
    /// UART behind.
    PerhapsUart,
    /// Two wires: both ends must know the speed.
    Uart,
}

/// A wire in the making.
pub type Connecting<'a> =
    Pin<Box<dyn Future<Output = Result<Box<dyn Wire>, OpenError>> + Send + 'a>>;

/// Why a port cannot be used. All of these may pass: the port is tried again.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such path.
    #[error("port `{}` does not exist", .0.display())]
    Absent(PathBuf),
    /// The path is there, but no terminal.
    #[error("`{}` is not a serial port", .0.display())]
    NotATty(PathBuf),
    /// Another process holds it.
    #[error("port `{}` is held by another process", .0.display())]
    Held(PathBuf),
    /// This user may not open it.
    #[error("port `{}` may not be opened by this user", .0.display())]
    NoPermission(PathBuf),
    /// Anything else.
    #[error("port `{}` cannot be opened", .port.display())]
    Other {
        /// The port.
        port: PathBuf,
        /// What the system said.
        source: tokio_serial::Error,
    },
}

impl OpenError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Absent(_) => "port_absent",
            Self::NotATty(_) => "port_not_a_tty",
            Self::Held(_) => "port_held",
            Self::NoPermission(_) => "port_no_permission",
            Self::Other { .. } => "port_error",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Absent(_) => {
                "plug the modem in, or look for its name with `ls -l /dev/serial/by-id`"
            }
            Self::NotATty(_) => "name the modem's tty, such as /dev/ttyUSB0 or /dev/serial/by-id/…",
            Self::Held(_) => {
                "find the other program with `fuser -v PORT`; ModemManager takes every modem it sees unless told otherwise"
            }
            Self::NoPermission(_) => {
                "add the user to the group of the port: `sudo usermod -aG dialout USER`, then log in again"
            }
            Self::Other { .. } => "look at `dmesg` for what the kernel says about the device",
        }
    }
}

/// A tty by its path.
#[derive(Debug, Clone)]
pub struct Tty {
    path: PathBuf,
}

impl Tty {
    /// The tty at `path`.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }
}

/// How the kernel names the ports of real UARTs: of PCs, of boards, of their multiplexers.
const UARTS: &[&str] = &[
    "ttyS", "ttyAMA", "ttyO", "ttymxc", "ttyTHS", "ttyPS", "ttyLP",
];

impl Connect for Tty {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn line(&self) -> Line {
        // Links such as /dev/modem0 are followed; a path that is absent is a UART later, if ever.
        let real = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let name = real.file_name().and_then(|name| name.to_str());
        match name {
            Some(name) if UARTS.iter().any(|uart| name.starts_with(uart)) => Line::Uart,
            _ => Line::PerhapsUart,
        }
    }

    fn connect(&self, baud: u32) -> Connecting<'_> {
        let path = self.path.clone();
        Box::pin(async move {
            // Opening a tty can block for seconds while its driver settles.
            let opening = tokio::task::spawn_blocking(move || open(&path, baud));
            let stream = opening
                .await
                .map_err(|_| OpenError::Absent(self.path.clone()))??;
            Ok(Box::new(stream) as Box<dyn Wire>)
        })
    }
}

/// A tty that forgets unsent output when it is dropped: closing would otherwise wait for a dead device.
struct Exclusive(SerialStream);

fn open(path: &Path, baud: u32) -> Result<Exclusive, OpenError> {
    let stream = tokio_serial::new(path.to_string_lossy(), baud).open_native_async();
    stream.map(Exclusive).map_err(|error| explain(path, error))
}

/// serialport gives several faults the same kind; the system's own words tell them apart.
fn explain(path: &Path, error: tokio_serial::Error) -> OpenError {
    let port = path.to_owned();
    let words = error.description.to_lowercase();
    match error.kind() {
        ErrorKind::Io(std::io::ErrorKind::NotFound) => OpenError::Absent(port),
        ErrorKind::Io(std::io::ErrorKind::PermissionDenied) => OpenError::NoPermission(port),
        _ if !path.exists() => OpenError::Absent(port),
        _ if words.contains("busy") || words.contains("exclusive lock") => OpenError::Held(port),
        _ if words.contains("typewriter")
            || words.contains("inappropriate ioctl")
            || !is_device(path) =>
        {
            OpenError::NotATty(port)
        }
        _ => OpenError::Other {
            port,
            source: error,
        },
    }
}

fn is_device(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_char_device())
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        // A device that is gone cannot be cleared; nothing is lost by that.
        let _ = self.0.clear(ClearBuffer::Output);
    }
}

impl AsyncRead for Exclusive {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        into: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Exclusive {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        from: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, from)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(path: &Path) -> OpenError {
        match Tty::new(path).connect(115_200).await {
            Ok(_) => panic!("{} was opened", path.display()),
            Err(error) => error,
        }
    }

    #[test]
    fn uarts_are_known_by_their_names_also_behind_links() {
        let dir = tempfile::tempdir().unwrap();
        let (uart, link) = (dir.path().join("ttyAMA0"), dir.path().join("modem"));
        std::fs::write(&uart, "").unwrap();
        std::os::unix::fs::symlink(&uart, &link).unwrap();
        for (path, line) in [
            (link.as_path(), Line::Uart),
            (Path::new("/dev/ttyS99"), Line::Uart),
            (Path::new("/dev/ttyUSB99"), Line::PerhapsUart),
            (Path::new("/dev/ttyACM99"), Line::PerhapsUart),
            (Path::new("/dev/pts/99"), Line::PerhapsUart),
        ] {
            assert_eq!(Tty::new(path).line(), line, "{}", path.display());
        }
    }

    #[tokio::test]
    async fn what_is_no_port_is_told_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let absent = dir.path().join("ttyUSB9");
        for (path, code) in [
            (absent.as_path(), "port_absent"),
            (&file, "port_not_a_tty"),
            (dir.path(), "port_not_a_tty"),
            (Path::new("/dev/null"), "port_not_a_tty"),
        ] {
            let error = refusal(path).await;
            assert_eq!(
                error.code(),
                code,
                "{error}: {:?}",
                std::error::Error::source(&error)
            );
            assert!(
                error.to_string().contains(&path.display().to_string()),
                "{error}"
            );
        }
    }
}
