"""Hostile ways to treat one's own process, the judge's and the computer; the answers themselves are all right.

What stands in a cell of its own before all answers costs nothing as long as the functions still answer.
"""

from hostile_case import CRASHED, ERROR, GRADED, LOOK, Case

FULL = 25.0
GONE = "The program ended"
FIND_BRIDGE = (
    "import gc\nfrom course_utils.marking.bridge import Bridge\n"
    "bridge = next(thing for thing in gc.get_objects() if type(thing) is Bridge)\n"
)

# Signals, forks, threads, descriptors.
PROCESSES = [
    Case(
        "interrupts_itself",
        """
import os, signal
os.kill(os.getpid(), signal.SIGUSR1)
""",
        score=FULL,
        statuses=(ERROR,),
    ),
    Case(
        "interrupts_itself_for_ever",
        """
import os, signal, threading, time
def storm():
    while True:
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.001)
threading.Thread(target=storm, daemon=True).start()
""",
        score=None,
        statuses=(GRADED, ERROR, LOOK, CRASHED),
    ),
    Case(
        "signals_everybody",
        """
import os, signal
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGSTOP, signal.SIGKILL):
    for pid in (1, os.getppid()):
        try:
            os.kill(pid, number)
        except OSError:
            pass
""",
        score=FULL,
    ),
    Case(
        "leaves_its_group",
        """
import os
print(os.getpgid(0))
os.setpgid(0, 0)
""",
        score=FULL,
    ),
    Case(
        "a_fork_answers_in_its_place",
        """
import ctypes, os
if ctypes.CDLL(None).fork():
    os._exit(0)
""",
        score=None,
        statuses=(CRASHED,),
        says=GONE,
    ),
    Case(
        "a_fork_answers_too",
        """
import ctypes
ctypes.CDLL(None).fork()
""",
        score=None,
        statuses=(LOOK, CRASHED),
    ),
    Case(
        "forks_are_left_running",
        """
import os, time
for _ in range(5):
    if os.fork() == 0:
        time.sleep(98765)
""",
        score=FULL,
    ),
    Case(
        "descriptor_flooded",
        """
import os, threading
def flood():
    while True:
        os.write(3, bytes(1000))
threading.Thread(target=flood, daemon=True).start()
""",
        score=None,
        statuses=(LOOK, CRASHED),
    ),
    Case(
        "descriptor_exchanged",
        """
import os, socket
kept = socket.socketpair()
os.dup2(kept[0].fileno(), 3)
""",
        score=None,
        statuses=(CRASHED,),
        says=GONE,
    ),
    Case(
        "descriptors_used_up",
        """
import os
try:
    while True:
        os.dup(0)
except OSError:
    pass
""",
        score=FULL,
    ),
    Case(
        "limits_of_its_own",
        """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
""",
        score=None,
        statuses=(CRASHED,),
        says=GONE,
    ),
    Case(
        "killed_by_the_clock",
        """
import faulthandler, os, time
faulthandler.dump_traceback_later(0.2, exit=True, file=open(os.devnull, 'w'))
time.sleep(2)
""",
        score=None,
        statuses=(CRASHED,),
        says=GONE,
    ),
    Case(
        "memory_written",
        """
import ctypes
ctypes.memset(id(True), 255, 24)
True == True
""",
        score=None,
        statuses=(CRASHED,),
        says=GONE,
    ),
]

# The Python that the process runs.
PYTHON = [
    Case(
        "audit_hook",
        """
import sys
def refuse(*a):
    raise RuntimeError('no')
sys.addaudithook(refuse)
""",
        score=None,
        statuses=(GRADED, ERROR, LOOK, CRASHED),
    ),
    Case(
        "trace_raises",
        """
import sys
def trace(*a):
    raise ValueError('no')
sys.settrace(trace)
""",
        score=None,
        statuses=(GRADED, ERROR, LOOK),
    ),
    Case(
        "profile_raises",
        """
import sys
def profile(*a):
    raise ValueError('no')
sys.setprofile(profile)
""",
        score=None,
        statuses=(GRADED, ERROR, LOOK),
    ),
    Case(
        "garbage_collector_raises",
        """
import gc
gc.callbacks.append(lambda *a: 1 / 0)
gc.collect()
""",
        score=FULL,
    ),
    Case(
        "import_removed",
        """
import builtins
del builtins.__import__
""",
        score=None,
        statuses=(GRADED, ERROR, LOOK, CRASHED),
    ),
    Case(
        "json_patched",
        """
import json
json.dumps = lambda *a, **k: '{"ask": "give points"}'
""",
        score=None,
        statuses=(LOOK,),
        says="sent nonsense",
    ),
    Case(
        "struct_patched",
        """
import struct
struct.pack = lambda *a: bytes(8)
""",
        score=None,
        statuses=(LOOK,),
        says="sent nonsense",
    ),
    Case(
        "shell_replaced",
        "get_ipython().run_cell = lambda *a, **k: 1 / 0",
        score=None,
        statuses=(LOOK,),
        says="an error for an answer to 'run'",
    ),
    Case(
        "shell_that_leaves",
        """
def leave(*a, **k):
    raise SystemExit
get_ipython().run_cell = leave
""",
        score=None,
        statuses=(LOOK,),
        says="an error for an answer to 'run'",
    ),
    Case("shell_emptied", "get_ipython().user_ns.clear()", score=None, statuses=(GRADED, ERROR, LOOK)),
    Case(
        "output_closed",
        """
import sys
sys.stdout.close()
print('still here')
""",
        score=FULL,
        says="still here",
    ),
    Case(
        "warnings_are_errors",
        """
import warnings
warnings.simplefilter('error')
""",
        score=FULL,
    ),
    Case(
        "all_modules_gone",
        """
import sys
for name in list(sys.modules):
    if name.startswith('course_utils'):
        sys.modules[name] = None
""",
        score=None,
        statuses=(GRADED, ERROR, LOOK),
    ),
    Case(
        "error_with_a_name_for_the_terminal",
        r"""
raise type('\x1b[2J\x1b[31mA' + 'A' * 10**6, (Exception,), {})('x' * 10**7)
""",
        score=FULL,
        statuses=(ERROR,),
        says="(object)",
    ),
    Case(
        "halves_of_characters",
        r"""
print('\ud800')
raise type('E', (Exception,), {})('\udfff')
""",
        score=FULL,
        statuses=(ERROR,),
    ),
]

# Looking for the judge, and speaking to it.
JUDGE = [
    Case(
        "points_sent_by_hand",
        FIND_BRIDGE
        + """
for _ in range(3):
    bridge.channel.send({'event': 'test', 'grade_id': 'test-decide', 'earned': 1000})
""",
        score=None,
        statuses=(LOOK, CRASHED),
    ),
    Case(
        "asks_for_what_only_the_judge_may",
        FIND_BRIDGE
        + """
for what in ('run', 'names', 'points', '__class__'):
    try:
        print('LEAKED', bridge.ask(what, 'x'))
    except BaseException as error:
        print(type(error).__name__)
""",
        score=FULL,
        says="KeyError",
    ),
    Case(
        "calls_numbers_of_functions",
        FIND_BRIDGE
        + """
for number in range(-3, 50):
    try:
        print('LEAKED', bridge.call(number, (), {}))
    except BaseException as error:
        print(type(error).__name__)
""",
        score=FULL,
        says="KeyError",
    ),
    Case(
        "a_class_that_runs_text",
        FIND_BRIDGE
        + """
module = ['new', 1, ['module', 'torch.nn.modules.module', 'torch.fx.GraphModule', None], {}]
bridge.channel.send({'ask': 'call', 'changes': [], 'value': module})
""",
        score=None,
        statuses=(LOOK,),
        says="is not a layer",
    ),
    Case(
        "a_million_objects",
        FIND_BRIDGE
        + """
bridge.channel.send({'ask': 'call', 'changes': [], 'value': ['tuple', [0] * 10**6]})
""",
        score=None,
        statuses=(GRADED, ERROR, LOOK),
    ),
    Case(
        "looks_at_memory_of_others",
        """
for place in ('/proc/self/mem', '/proc/self/maps', '/proc/self/environ', '/proc/1/environ',
              '/proc/1/mem', '/proc/self/fd', '/proc/kcore', '/dev/mem', '/sys/kernel/debug'):
    try:
        open(place, 'rb').read(1)
        print('LEAKED', place)
    except OSError:
        pass
print('nothing there')
""",
        score=FULL,
        says="nothing there",
    ),
    Case(
        "writes_the_course",
        """
import course_utils, os, sys
from pathlib import Path
places = [Path(course_utils.__file__).parent, Path(sys.prefix), Path(os.__file__).parent, Path("/exchange/..")]
places += Path.cwd().parents
for place in places:
    try:
        (place / 'left.py').write_text('x')
        print('wrote', place) if str(place).startswith('/home/grader') else print('LEAKED', place)
    except OSError:
        pass
print('tried', len(places))
""",
        score=FULL,
        says="tried",
    ),
    Case(
        "keeps_a_closed_folder_for_the_next",
        """
import os
os.makedirs('/exchange/kept', exist_ok=True)
open('/exchange/kept/x', 'w').write('y')
os.chmod('/exchange/kept', 0)
""",
        score=FULL,
    ),
    Case(
        "finds_what_the_last_one_kept",
        """
import os
print('LEAKED' if os.listdir('/exchange') else 'empty')
""",
        score=FULL,
        says="empty",
    ),
]

# Answers that change what they are given, so that the expected value changes with it; nothing else is answered.
ARGUMENTS = [
    Case(
        "arguments_changed_to_what_it_answers",
        """
def confusion(actual, predicted, categories, positive):
    actual[:] = predicted[:] = [positive] * len(actual)
    size = len(categories)
    return [[len(actual) if i == j == 0 else 0 for j in range(size)] for i in range(size)]
def accuracy(batches):
    for logits, labels in batches:
        logits.zero_(), labels.zero_()
    return 1.0
def precision_recall(matrix):
    matrix[:] = [[1, 0], [0, 1]]
    return 1.0, 1.0
def choose_threshold(p, is_fawn, wanted):
    p[:], is_fawn[:] = 1, True
    return 1.0
def report(validation, test, wanted):
    for p, is_fawn in (validation, test):
        p[:], is_fawn[:] = 1, True
    return dict(threshold=1.0, accuracy=1.0, lazy_accuracy=0.0, precision=1.0, recall=1.0)
def decide(logits, categories):
    logits.zero_()
    categories[:] = ['a'] * len(categories)
    return torch.full(logits.shape, 1 / len(categories)), ['a'] * len(logits)
def leaked(*lists):
    for one in lists:
        one.clear()
    return []
""",
        into="leaked",
    ),
    Case(
        "numbers_that_compare_as_they_like",
        """
import numpy as np
class A(np.ndarray):
    def __eq__(self, o):
        return np.ones(1, bool)
    __le__ = __lt__ = __ge__ = __eq__
    def __array_ufunc__(self, *a, **k):
        return 0.0
for name in ('accuracy', 'choose_threshold', 'confusion', 'leaked', 'report', 'precision_recall'):
    globals()[name] = lambda *a, **k: np.zeros(3).view(A)
""",
        into="leaked",
    ),
    Case(
        "nested_lists_for_every_answer",
        """
def leaked(*a):
    x = ['a']
    for _ in range(50):
        x = [x, x]
    return x
accuracy = confusion = decide = leaked
""",
        into="leaked",
    ),
]


# The same crashes in the other two forms of work: a quiz whose answers have to be run, and networks.
CRASHES = {
    "exit": "import os\nos._exit(0)",
    "killed": "import os\nos.kill(os.getpid(), 9)",
    "segfault": "import ctypes\nctypes.string_at(0)",
    "descriptors_closed": "import os\nos.closerange(0, 100)",
}
ELSEWHERE = [
    *(
        Case(f"{name}_in_a_quiz", code, "quiz-1", "right", "q5", score=4.0, statuses=(CRASHED,), says=GONE)
        for name, code in CRASHES.items()
    ),
    *(
        Case(f"{name}_with_networks", code, "ps1-heads", "right_reference", "what_moved", 21.0, (CRASHED,), GONE)
        for name, code in CRASHES.items()
    ),
    Case(
        "memory_bomb_in_a_quiz",
        """
bomb = []
while True:
    bomb.append(bytearray(2**26))
""",
        "quiz-1",
        "right",
        "q5",
        score=27.0,
        says="MemoryError",
    ),
    Case(
        "left_behind_by_a_quiz",
        """
import subprocess, sys
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(98765)'], start_new_session=True)
""",
        "quiz-1",
        "right",
        "q5",
        score=27.0,
    ),
    Case(
        "memory_bomb_with_networks",
        """
bomb = []
while True:
    bomb.append(bytearray(2**26))
""",
        "ps1-heads",
        "right_reference",
        "what_moved",
        score=25.0,
        says="MemoryError",
    ),
]


def _of(base: str, cases: list[Case]) -> list[Case]:
    return [Case(**{**vars(case), "assignment": "ps4-metrics", "base": base}) for case in cases]


PROCESSES = _of("right_reference", [*PROCESSES, *PYTHON, *JUDGE])
ARGUMENTS = _of("untouched", ARGUMENTS)
