//! Nothing leads outside, and what somebody else changed stays.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use tempfile::TempDir;

use super::super::scan::{Named, scan};
use super::*;
use crate::workspace::Quotas;

const MOST: u64 = 1_000;

fn path(text: &str) -> WorkspacePath {
    WorkspacePath::parse(text).unwrap()
}

/// A folder, and beside it one that is none of its business.
struct Site {
    all: TempDir,
    folder: Folder,
}

fn site() -> Site {
    let all = TempDir::new().unwrap();
    fs::create_dir(all.path().join("in")).unwrap();
    fs::create_dir(all.path().join("out")).unwrap();
    fs::write(all.path().join("out/secret"), "secret").unwrap();
    let folder = Folder::open(&all.path().join("in")).unwrap();
    Site { all, folder }
}

impl Site {
    fn real(&self, name: &str) -> PathBuf {
        self.all.path().join("in").join(name)
    }

    /// What lies outside is as it was.
    fn assert_untouched(&self) {
        let names: Vec<_> =
            fs::read_dir(self.all.path().join("out")).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert_eq!(names, ["secret"]);
        assert_eq!(fs::read_to_string(self.all.path().join("out/secret")).unwrap(), "secret");
    }
}

#[test]
fn no_link_is_followed_wherever_in_a_path_it_stands() {
    let mut site = site();
    symlink("../out", site.real("dir")).unwrap();
    symlink("../out/secret", site.real("file")).unwrap();
    symlink(site.all.path().join("out"), site.real("absolute")).unwrap();
    fs::create_dir(site.real("deep")).unwrap();
    symlink("../../out", site.real("deep/dir")).unwrap();
    for name in ["dir/secret", "file", "absolute/secret", "deep/dir/secret"] {
        assert!(matches!(site.folder.read(&path(name), MOST), Err(Left::NoFile)), "{name}");
        let written = site.folder.write(&path(name), b"mine", None);
        assert!(matches!(written, Err(Left::NoFile)), "{name}: {written:?}");
    }
    for name in ["dir/new", "dir/a/b/new", "deep/dir/a/new"] {
        let written = site.folder.write(&path(name), b"mine", None);
        assert!(matches!(written, Err(Left::NoFile)), "{name}: {written:?}");
    }
    let (_, stamp) = {
        fs::write(site.real("plain"), "x").unwrap();
        site.folder.read(&path("plain"), MOST).unwrap()
    };
    for name in ["dir/secret", "file", "deep/dir/secret"] {
        assert!(matches!(site.folder.remove(&path(name), stamp), Err(Left::NoFile)), "{name}");
    }
    site.assert_untouched();
    assert!(site.real("file").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn a_kernel_that_cannot_look_below_is_made_up_for_part_by_part() {
    let site = site();
    fs::create_dir_all(site.real("a/b")).unwrap();
    fs::write(site.real("a/b/c"), "x").unwrap();
    symlink("../../out", site.real("a/link")).unwrap();
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for name in ["a/b/c", "a/b", "a", "."] {
        site.folder.walk(name, flags, false).unwrap();
    }
    for name in ["a/link/secret", "a/link"] {
        assert_eq!(site.folder.walk(name, flags, false).unwrap_err(), Errno::LOOP, "{name}");
        assert_eq!(site.folder.walk(name, flags | OFlags::DIRECTORY, true).unwrap_err(), Errno::LOOP, "{name}");
    }
    assert_eq!(site.folder.walk("a/b/c/d", flags, false).unwrap_err(), Errno::NOTDIR);
    site.folder.walk("a/new/dir", flags | OFlags::DIRECTORY, true).unwrap();
    assert!(site.real("a/new/dir").is_dir());
    site.assert_untouched();
}

#[test]
fn a_file_is_written_whole_keeps_its_mode_and_only_if_nobody_changed_it() {
    let mut site = site();
    site.folder.write(&path("a/b/c.sh"), b"one", None).unwrap();
    site.folder.settle([path("a/b/c.sh")].iter()).unwrap();
    assert_eq!(fs::read_to_string(site.real("a/b/c.sh")).unwrap(), "one");
    // Somebody else's: it is not expected.
    fs::write(site.real("theirs"), "theirs").unwrap();
    assert!(matches!(site.folder.write(&path("theirs"), b"mine", None), Err(Left::Changed)));

    fs::set_permissions(site.real("a/b/c.sh"), fs::Permissions::from_mode(0o751)).unwrap();
    let (_, stamp) = site.folder.read(&path("a/b/c.sh"), MOST).unwrap();
    site.folder.write(&path("a/b/c.sh"), b"two", Some(stamp)).unwrap();
    assert_eq!(fs::metadata(site.real("a/b/c.sh")).unwrap().mode() & 0o777, 0o751);
    assert!(matches!(site.folder.write(&path("a/b/c.sh"), b"three", Some(stamp)), Err(Left::Changed)));
    assert!(matches!(site.folder.remove(&path("a/b/c.sh"), stamp), Err(Left::Changed)));
    assert_eq!(fs::read_to_string(site.real("a/b/c.sh")).unwrap(), "two");
    for (name, wanted) in [("a/b", "a folder"), ("theirs/x", "a file")] {
        let left = site.folder.write(&path(name), b"x", None).unwrap_err();
        assert!(matches!(left, Left::Taken) && left.to_string().contains(wanted), "{name}: {left}");
    }
    // A file with a second name elsewhere is replaced, not written into.
    fs::hard_link(site.all.path().join("out/secret"), site.real("twin")).unwrap();
    let (_, stamp) = site.folder.read(&path("twin"), MOST).unwrap();
    site.folder.write(&path("twin"), b"mine", Some(stamp)).unwrap();
    site.assert_untouched();
    assert_eq!(fs::read_dir(site.real("a/b")).unwrap().count(), 1, "an unfinished file was left");
}

#[test]
fn folders_go_with_their_last_file_and_no_further() {
    let site = site();
    fs::create_dir_all(site.real("a/b/c")).unwrap();
    fs::write(site.real("a/b/c/x"), "x").unwrap();
    fs::write(site.real("a/y"), "y").unwrap();
    let stamp = |name: &str| site.folder.read(&path(name), MOST).unwrap().1;
    site.folder.remove(&path("a/b/c/x"), stamp("a/b/c/x")).unwrap();
    site.folder.settle([path("a/b/c/x")].iter()).unwrap();
    assert!(!site.real("a/b").exists() && site.real("a/y").exists());
    site.folder.remove(&path("a/y"), stamp("a/y")).unwrap();
    assert!(site.real("").is_dir() && !site.real("a").exists());
}

#[test]
fn a_file_that_changes_while_it_is_read_is_read_again_or_named() {
    let site = site();
    fs::write(site.real("log"), "1").unwrap();
    let mut times = 0;
    let grow = |times: &mut u32, most: u32| {
        *times += 1;
        if *times <= most {
            let old = fs::read_to_string(site.real("log")).unwrap();
            fs::write(site.real("log"), old + "+").unwrap();
        }
    };
    let read = site.folder.read_while(&path("log"), MOST, &mut || grow(&mut times, 1));
    assert_eq!(read.unwrap().0, b"1+");
    let mut times = 0;
    let read = site.folder.read_while(&path("log"), MOST, &mut || grow(&mut times, u32::MAX));
    assert!(matches!(read, Err(Left::Restless)));
    assert_eq!(times, TRIES);
    fs::write(site.real("log"), "x".repeat(1_001)).unwrap();
    assert!(matches!(site.folder.read(&path("log"), MOST), Err(Left::TooLarge(1_001, 1_000))));
}

#[test]
fn what_is_no_file_is_passed_over_and_said() {
    let site = site();
    fs::create_dir_all(site.real("dir/.git/hooks")).unwrap();
    fs::write(site.real("dir/.git/config"), "x").unwrap();
    fs::write(site.real("dir/good.md"), "x").unwrap();
    fs::write(site.real(".reveille-sync-1-1.tmp"), "half").unwrap();
    fs::create_dir(site.real("empty")).unwrap();
    symlink("../out", site.real("dir/link")).unwrap();
    symlink("nowhere", site.real("dangling")).unwrap();
    let _socket = UnixListener::bind(site.real("socket")).unwrap();
    rustix::fs::mknodat(&site.folder.root, "pipe", rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    fs::write(site.real("a:b"), "x").unwrap();
    fs::write(site.real("big"), "x".repeat(1_001)).unwrap();
    {
        use std::os::unix::ffi::OsStrExt;
        fs::write(site.real("").join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "x").unwrap();
    }
    let quotas = Quotas { file_bytes: MOST, ..Quotas::default() };
    let scanned = scan(&site.folder, quotas, false, &mut |_| ()).unwrap();
    assert_eq!(scanned.held.files.keys().map(WorkspacePath::as_str).collect::<Vec<_>>(), ["dir/good.md"]);
    let told = |all: &[Named]| all.iter().map(|one| format!("{}: {}", one.path, one.reason)).collect::<Vec<_>>();
    assert_eq!(
        told(&scanned.passed),
        [
            "dangling: it is a symbolic link",
            "dir/.git: Git's own folder is never carried",
            "dir/link: it is a symbolic link",
            "pipe: it is a pipe",
            "socket: it is a socket",
        ]
    );
    let failed = told(&scanned.failed);
    assert_eq!(failed.len(), 3, "{failed:?}");
    assert!(failed[0].starts_with("a:b: ") && failed[0].contains("colon"), "{failed:?}");
    assert_eq!(failed[1], "big: it has 1001 bytes, and a file of a workspace has 1000 at most");
    assert!(failed[2].starts_with("caf") && failed[2].ends_with("its name is not UTF-8"), "{failed:?}");
    let unknown: Vec<_> = scanned.held.unknown.keys().map(String::as_str).collect();
    assert_eq!(unknown, ["big", "dangling", "dir/link", "pipe", "socket"]);

    assert!(site.real(".reveille-sync-1-1.tmp").exists());
    scan(&site.folder, quotas, true, &mut |_| ()).unwrap();
    assert!(!site.real(".reveille-sync-1-1.tmp").exists());
    let none = Quotas { files: 0, ..quotas };
    let refused = scan(&site.folder, none, false, &mut |_| ()).unwrap_err();
    assert_eq!(refused.to_string(), "it has more than 0 files, which is the most that a workspace holds");
}

#[test]
fn one_sync_at_a_time_is_at_work_in_a_folder() {
    let site = site();
    let second = Folder::open(&site.real("")).unwrap_err();
    assert_eq!(second.to_string(), "another sync is at work in it");
    let path = site.real("");
    drop(site.folder);
    Folder::open(&path).unwrap();
}
