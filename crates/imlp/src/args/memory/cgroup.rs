//! The memory that Linux's control groups leave to this process.
//!
//! A process is in one group of each hierarchy, and a group's limit holds for all groups
//! in it: Slurm's limit on a job is that of a group in which each of its steps has one.
//! `/proc/self/cgroup` names the own group, `/proc/self/mountinfo` tells where the
//! hierarchies are mounted, see cgroups(7). A container may see a part of a hierarchy
//! only, whose root is then the mount point.

use std::path::{Path, PathBuf};

/// A hierarchy that can limit memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hierarchy {
    /// That of the controller `memory`.
    Version1,
    /// The only one, of all controllers.
    Version2,
}

impl Hierarchy {
    /// The file with a group's limit: bytes, or a word (version 2) or a number beyond
    /// all memory (version 1) where there is none.
    fn file(self) -> &'static str {
        match self {
            Self::Version1 => "memory.limit_in_bytes",
            Self::Version2 => "memory.max",
        }
    }
}

/// The least limit of the own groups and all groups around them, bytes; none where no
/// group limits memory. `root` is that of the file system.
pub(super) fn limit(root: &Path) -> Option<u64> {
    let read = |path| std::fs::read_to_string(root.join(path)).ok();
    let groups = read("proc/self/cgroup")?;
    let mounts = read("proc/self/mountinfo")?;
    let mounts: Vec<Mount> = mounts.lines().filter_map(Mount::parse).collect();
    let groups = groups.lines().filter_map(parse_group);
    groups
        .flat_map(|(hierarchy, group)| {
            let mounts = mounts.iter().filter(move |m| m.hierarchy == hierarchy);
            mounts.flat_map(move |mount| mount.folders(&group))
        })
        .filter_map(|file| {
            let text = std::fs::read_to_string(root.join(file.strip_prefix("/").ok()?)).ok()?;
            text.trim().parse().ok()
        })
        .min()
}

/// A line of `/proc/self/cgroup`, `4:memory:/a/b` or `0::/a/b`: the hierarchy, and the
/// own group in it.
fn parse_group(line: &str) -> Option<(Hierarchy, PathBuf)> {
    let mut fields = line.splitn(3, ':');
    let (number, controllers, group) = (fields.next()?, fields.next()?, fields.next()?);
    let hierarchy = if number == "0" && controllers.is_empty() {
        Hierarchy::Version2
    } else if controllers.split(',').any(|name| name == "memory") {
        Hierarchy::Version1
    } else {
        return None;
    };
    Some((hierarchy, group.into()))
}

/// Where a hierarchy is mounted.
#[derive(Debug, PartialEq)]
struct Mount {
    hierarchy: Hierarchy,
    /// The group that is the mount point.
    root: PathBuf,
    point: PathBuf,
}

impl Mount {
    /// A line of `/proc/self/mountinfo`; none for other file systems.
    fn parse(line: &str) -> Option<Self> {
        let (of_mount, of_system) = line.split_once(" - ")?;
        let mut of_mount = of_mount.split(' ').skip(3);
        let (root, point) = (of_mount.next()?, of_mount.next()?);
        let mut of_system = of_system.split(' ');
        let (kind, _source, options) = (of_system.next()?, of_system.next()?, of_system.next()?);
        let hierarchy = match kind {
            "cgroup2" => Hierarchy::Version2,
            "cgroup" if options.split(',').any(|name| name == "memory") => Hierarchy::Version1,
            _ => return None,
        };
        // As proc(5) writes a space.
        let path = |text: &str| PathBuf::from(text.replace("\\040", " "));
        Some(Self {
            hierarchy,
            root: path(root),
            point: path(point),
        })
    }

    /// The files with the limits of `group` and of those around it, as far as they are
    /// mounted.
    fn folders(&self, group: &Path) -> Vec<PathBuf> {
        // A group outside of what is mounted here is at least in that.
        let inside = group.strip_prefix(&self.root).unwrap_or(Path::new(""));
        let own = self.point.join(inside);
        own.ancestors()
            .take_while(|folder| folder.starts_with(&self.point))
            .map(|folder| folder.join(self.hierarchy.file()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNLIMITED: &str = "9223372036854771712";

    /// A root of a file system, with the limits of some groups.
    fn root(cgroup: &str, mountinfo: &str, limits: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let mut files = vec![
            ("proc/self/cgroup", cgroup),
            ("proc/self/mountinfo", mountinfo),
        ];
        files.extend(limits);
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{text}\n")).unwrap();
        }
        root
    }

    #[test]
    fn the_least_limit_of_all_groups_around_is_found() {
        const V2: &str = "22 1 0:28 / / rw - ext4 /dev/sda rw\n\
                          30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw";
        const V1: &str = "31 22 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                          32 22 0:28 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory";
        let slurm = "0::/system.slice/slurmstepd.scope/job_7/step_batch/user/task_0";
        let of = |folder: &str| format!("sys/fs/cgroup{folder}/memory.max");
        let job = of("/system.slice/slurmstepd.scope/job_7");
        let task = of("/system.slice/slurmstepd.scope/job_7/step_batch/user/task_0");
        let step = of("/system.slice/slurmstepd.scope/job_7/step_batch");
        let found = |cgroup: &str, mounts: &str, limits: &[(&str, &str)]| {
            limit(root(cgroup, mounts, limits).path())
        };
        // Of a group around the own one, in version 2 ...
        let limits = [(&*job, "100000000"), (&*task, "max"), (&*step, "200000000")];
        assert_eq!(found(slurm, V2, &limits), Some(100_000_000));
        // ... of the own one ...
        let limits = [(&*job, "max"), (&*task, "5000"), (&*step, "200000000")];
        assert_eq!(found(slurm, V2, &limits), Some(5000));
        // ... of none, or of one that is not around it.
        let limits = [(&*job, "max"), (&*of("/other"), "7")];
        assert_eq!(found(slurm, V2, &limits), None);

        // Version 1, where other controllers have other groups.
        let groups = "9:name=systemd:/\n4:memory:/slurm/uid_0/job_7/step_0\n1:cpu:/deep/er\n0::/";
        let of = |folder: &str| format!("sys/fs/cgroup/memory{folder}/memory.limit_in_bytes");
        let limits = [
            (&*of("/slurm/uid_0/job_7/step_0"), UNLIMITED),
            (&*of("/slurm/uid_0/job_7"), "300000000"),
            (&*of("/deep/er"), "7"),
            (&*of(""), UNLIMITED),
        ];
        assert_eq!(found(groups, V1, &limits), Some(300_000_000));

        // A container that sees its own part of a hierarchy, at the mount point.
        let part = "32 22 0:28 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
        let limits = [(&*of("/inner"), UNLIMITED), (&*of(""), "64000000")];
        let inner = "4:memory:/docker/ab/inner";
        assert_eq!(found(inner, part, &limits), Some(64_000_000));
        // One whose own group has a name from outside.
        assert_eq!(found("4:memory:/else", part, &limits), Some(64_000_000));
        let inside = [("sys/fs/cgroup/memory.max", "32000000")];
        assert_eq!(found("0::/", V2, &inside), Some(32_000_000));
        assert_eq!(found("0::/../..", V2, &inside), Some(32_000_000));

        // Both versions, a mount point with a space.
        let both = format!("{V1}\n33 22 0:29 / /my\\040groups rw - cgroup2 none rw");
        let limits = [(&*of("/a"), "2000"), ("my groups/b/memory.max", "1000")];
        assert_eq!(found("4:memory:/a\n0::/b/c", &both, &limits), Some(1000));

        assert_eq!(found("", "", &[]), None);
        assert_eq!(limit(Path::new("/no/such/root")), None);
    }
}
