//! Puts the mic.pyz that it holds into the cache of mic once, and runs it with Python 3.11.
use std::path::PathBuf;
use std::process::{exit, Command, Stdio};
use std::{env, fs};

const PYZ: &[u8] = include_bytes!("../mic.pyz");
const NAME: &str = "@PYZ_SHA256@";

fn cache() -> Option<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    base.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"))).map(|base| base.join("mic/cargo"))
}

fn place() -> std::io::Result<PathBuf> {
    let folder = cache().ok_or_else(|| std::io::Error::other("HOME is not set"))?;
    let path = folder.join(format!("{NAME}.pyz"));
    if fs::metadata(&path).map(|found| found.len()).unwrap_or(0) != PYZ.len() as u64 {
        fs::create_dir_all(&folder)?;
        let new = folder.join(format!("{NAME}.{}.new", std::process::id()));
        fs::write(&new, PYZ)?;
        fs::rename(&new, &path)?;
    }
    Ok(path)
}

fn main() {
    let path = place().unwrap_or_else(|error| {
        eprintln!("mic: {error}");
        exit(1)
    });
    let named = env::var("MIC_PYTHON").ok();
    for python in named.as_deref().into_iter().chain(["python3.11", "python3", "python"]) {
        let version = "import sys; sys.exit(sys.version_info[:2] != (3, 11))";
        let asked = Command::new(python).args(["-c", version]).stderr(Stdio::null()).status();
        if asked.map(|status| status.success()).unwrap_or(false) {
            let done = Command::new(python).arg(&path).args(env::args_os().skip(1)).status();
            exit(done.ok().and_then(|status| status.code()).unwrap_or(1));
        }
    }
    eprintln!("mic: Python 3.11 was not found.\n     Install it, or name it: MIC_PYTHON=/path/to/python3.11");
    exit(1);
}
