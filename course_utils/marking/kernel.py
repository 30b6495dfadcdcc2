"""What Python 3.11 has no function for: namespaces, capabilities and other settings of a Linux process."""

import contextlib
import ctypes
import os
import resource
import signal

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x00020000, 0x08000000, 0x20000000
_MS_NOSUID, _MS_NODEV, _MS_RDONLY, _MS_REMOUNT = 2, 4, 1, 32
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_ALLOW, _ERRNO_EPERM = 0x7FFF0000, 0x00050001

# Calls that no notebook needs, and that look into other processes or change the system.
_FORBIDDEN = (
    *(
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "kcmp",
        "pidfd_getfd",
        "perf_event_open",
        "bpf",
        "userfaultfd",
    ),
    *("mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig", "fspick"),
    *("unshare", "setns", "keyctl", "add_key", "request_key", "kexec_load", "init_module", "finit_module"),
    *("delete_module", "swapon", "swapoff", "reboot", "settimeofday", "clock_settime", "acct", "quotactl", "syslog"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "open_by_handle_at", "name_to_handle_at", "personality"),
)

_libc = ctypes.CDLL(None, use_errno=True)


def _called(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the namespaces that ``flags`` name. Raises OSError."""
    _called(_libc.unshare(flags), "unshare")


def mount_tmpfs(place: str, size: int, remount_read_only: bool = False) -> None:
    """Put an empty file system of at most ``size`` bytes over a folder, or write-protect that. Raises OSError."""
    flags = _MS_NOSUID | _MS_NODEV | (_MS_RDONLY | _MS_REMOUNT if remount_read_only else 0)
    options = f"size={size},mode=755".encode()
    _called(_libc.mount(b"tmpfs", place.encode(), b"tmpfs", flags, options), f"mount {place}")


def die_with_parent() -> None:
    """Get SIGKILL when the parent ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def hide_memory() -> None:
    """Let no other process of the same user read this one's memory or environment."""
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def drop_all_rights() -> None:
    """Give up every capability, for good and for all children."""
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _called(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def forbid_calls() -> bool:
    """Refuse system calls that no notebook needs, with the system's libseccomp; return False where there is none."""
    try:
        seccomp = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return False
    seccomp.seccomp_init.restype = ctypes.c_void_p
    seccomp.seccomp_init.argtypes = [ctypes.c_uint32]
    seccomp.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
    seccomp.seccomp_load.argtypes = seccomp.seccomp_release.argtypes = [ctypes.c_void_p]
    rules = seccomp.seccomp_init(_ALLOW)
    if not rules:
        return False
    try:
        for name in _FORBIDDEN:
            number = seccomp.seccomp_syscall_resolve_name(name.encode())
            if number >= 0:
                seccomp.seccomp_rule_add(rules, _ERRNO_EPERM, number, 0)
        return seccomp.seccomp_load(rules) == 0
    finally:
        seccomp.seccomp_release(rules)


def limit(memory: int, processor_seconds: int, file_size: int, processes: int) -> None:
    """Limit this process and its children. ``memory`` is in bytes on top of what the process has mapped."""
    with open("/proc/self/statm", encoding="ascii") as stream:
        mapped = int(stream.read().split()[0]) * resource.getpagesize()
    limits = {
        resource.RLIMIT_AS: mapped + memory,
        resource.RLIMIT_CPU: processor_seconds,
        resource.RLIMIT_FSIZE: file_size,
        resource.RLIMIT_NPROC: processes,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))
