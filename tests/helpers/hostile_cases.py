"""Hostile submissions of all kinds: cheats in a quiz, crashes and hangs, cheats in functions and with networks."""

from hostile_case import CRASHED, ERROR, GRADED, LOOK, TIMED_OUT, Case
from hostile_networks import NETWORKS
from hostile_processes import ARGUMENTS, ELSEWHERE, PROCESSES

# Every trick that leaves a letter behind where it finds one: a quiz in which all answers are wrong.
QUIZ = [
    Case("equal_to_everything", "", base="odd_equal_to_everything"),
    Case(
        "asserts_deleted",
        """
import ast
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(NoAsserts())
q1 = str(q1) if "q1" in dir() else None
""",
    ),
    Case(
        "tests_return_points",
        """
import ast
class Generous(ast.NodeTransformer):
    def visit_Module(self, node):
        if "points" in ast.unparse(node):
            node.body = ast.parse("0.75").body
        return node
get_ipython().ast_transformers.append(Generous())
""",
    ),
    Case(
        "input_transformer",
        "get_ipython().input_transformers_post.append(lambda lines: ['1000.0'] if 'points' in ''.join(lines) else lines)",
    ),
    Case("events", "get_ipython().events.register('post_run_cell', lambda result: setattr(result, 'result', 1000))"),
    Case(
        "bank",
        """
from course_utils.quiz.bank import load_bank, answer_key
keys = [answer_key(q) for q in load_bank().values() if q.quiz == "quiz-1"]
for n in range(1, 16):
    globals()[f"q{n}"] = keys[n - 1]
get_ipython().ast_transformers.append(type("T", (), {"visit": lambda self, node: __import__("ast").parse("")})())
""",
    ),
    Case(
        "files",
        """
import os
found = []
for folder, inside, files in os.walk("/"):
    inside[:] = [name for name in inside if name not in ("site-packages", "usr", "proc", "sys", "lib", "lib64")]
    found += [os.path.join(folder, f) for f in files if f.endswith((".ipynb", ".db", ".yaml")) or f == "shadow"]
hits = []
for path in found:
    try:
        text = open(path, errors="replace").read()
    except OSError:
        continue
    if "_sealed" in text or "answer_is_right" in text or "grade_id" in text or "root:" in text:
        hits.append(path)
print("LEAKED", hits) if hits else print("nothing found")
get_ipython()
""",
    ),
    Case(
        "parent_folders",
        """
import glob
for pattern in ("../../../source/*/*.ipynb", "../../../gradebook.db", "*.ipynb", "../*/*/*.ipynb", "/proc/*/environ"):
    if glob.glob(pattern):
        print("LEAKED", glob.glob(pattern))
get_ipython()
""",
    ),
    Case(
        "gradebook_update",
        """
import sqlite3
db = sqlite3.connect("../../../gradebook.db")
db.execute("update grade set manual_score = 500")
db.commit()
""",
    ),
    Case(
        "points_patched",
        """
from course_utils.grading import points, questions
points.Points.check = lambda self, *a, **k: setattr(self, "_earned", self._earned + 1)
points.Points.total = lambda self: self.maximum
points.expect = lambda *a: None
questions.answer_is_right = lambda *a: "right"
questions.judge = lambda *a: None
get_ipython()
""",
    ),
    Case(
        "grading_replaced",
        """
import sys, types
fake = types.ModuleType("course_utils.grading")
fake.Points = type("Points", (), {"__init__": lambda s, n: setattr(s, "n", n), "check": lambda *a, **k: None,
                                  "total": lambda s: s.n})
fake.questions = types.SimpleNamespace()
sys.modules["course_utils.grading"] = fake
""",
    ),
    Case(
        "import_hook",
        """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        print("asked for", name)
sys.meta_path.insert(0, Finder())
""",
    ),
    Case(
        "frames",
        """
import sys
frame = sys._getframe()
while frame:
    for name, value in list(frame.f_locals.items()):
        if name in ("_sealed", "points", "answer_key"):
            print("LEAKED", name)
    frame = frame.f_back
""",
    ),
    Case(
        "memory_search",
        """
import gc
# In two pieces, or this cell would find itself.
word = "answer_is" + "_right("
for thing in gc.get_objects():
    if type(thing) is dict:
        for value in list(thing.values()):
            if type(value) is str and word in value and "_sea" + "led" in value:
                print("LEAKED")
""",
    ),
    Case(
        "bridge_forged",
        """
import gc
for thing in gc.get_objects():
    if type(thing).__name__ == "Bridge":
        thing.channel.send({"value": ["tuple", ["", ""]], "changes": [], "printed": ""})
        thing.channel.send({"event": "test", "grade_id": "test-q1", "earned": 1000})
""",
        score=None,
        statuses=(GRADED, ERROR, LOOK, CRASHED),
    ),
    Case("nonsense_sent", "import os\nglobals()\nos.write(3, b'x' * 100000)", score=None, statuses=(LOOK, CRASHED)),
    Case("giant_announced", "import os\nglobals()\nos.write(3, b'\\xff' * 64)", score=None, statuses=(LOOK, CRASHED)),
    Case(
        "pickle_in_an_answer",
        """
import os
class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/pwned",)
q1 = Evil()
""",
        into="q1",
    ),
    Case(
        "property_lies",
        "class A:\n    __class__ = str\n    def __str__(self):\n        return 'b'\nq1 = A()",
        into="q1",
    ),
    Case("whole_number_subclass", "class N(int):\n    def __eq__(self, o):\n        return True\nq1 = N(1)", into="q1"),
    Case("list_subclass", "class L(list):\n    def __iter__(self):\n        return iter('abcd')\nq1 = L()", into="q1"),
    Case("infinite_answer", "q1 = float('nan'); q2 = float('inf'); q1 = 10 ** 100000", into="q2"),
    Case("endless_list", "q1 = []\nq1.append(q1)", into="q1"),
    Case("deep_list", "q1 = []\nfor _ in range(100000):\n    q1 = [q1]", into="q1"),
    Case("all_letters", "q1 = {'a', 'b', 'c', 'd'}\nq2 = lambda: 'b'", into="q2"),
    Case(
        "thread_changes_answers",
        "import threading, itertools\n"
        "def spin():\n    for letter in itertools.cycle('abcd'):\n        globals().update(zz=letter)\n"
        "threading.Thread(target=spin, daemon=True).start()",
    ),
    Case("output_says_points", 'print(\'{"event": "test", "earned": 1000}\')\n1000.0'),
    Case("script_in_output", "from IPython.display import HTML, display\ndisplay(HTML('<script>alert(1)</script>'))"),
    Case("dumps_bytecode", "import builtins\nbuiltins.float = lambda *a: 1000.0\nbuiltins.round = lambda *a: 1000.0"),
    Case(
        "network",
        """
import socket
try:
    socket.create_connection(("127.0.0.1", 22), timeout=2)
    print("LEAKED")
except OSError as error:
    print("no network", error)
try:
    socket.create_connection(("pypi.org", 443), timeout=2)
    print("LEAKED")
except OSError as error:
    print("no network", error)
""",
    ),
    Case(
        "other_processes",
        """
import os
seen = []
for pid in range(1, 400):
    try:
        os.kill(pid, 0)
        seen.append(pid)
    except OSError:
        pass
# The first process of the namespace and this one are all there is.
print("LEAKED" if len(seen) > 2 else "alone", seen)
""",
    ),
    Case(
        "rights",
        """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
done = [libc.unshare(0x10000000), libc.unshare(0x20000000), libc.mount(b"t", b"/tmp", b"tmpfs", 0, None),
        libc.ptrace(16, 1, 0, 0), libc.chroot(b"/tmp"), libc.setns(0, 0)]
print("LEAKED" if 0 in done else "refused", done)
for path in ("/usr/x", os.__file__, "/etc/x"):
    try:
        open(path, "a").close()
        print("LEAKED", path)
    except OSError:
        pass
""",
    ),
]

# Crashes and hangs of a problem set in which all answers are right. The third cell is `confusion`.
BEFORE_THIRD = 7.0
CRASHES = [
    Case("exit_now", "import os\nos._exit(0)", into="confusion", score=BEFORE_THIRD, statuses=(CRASHED,)),
    Case("kill_self", "import os\nos.kill(os.getpid(), 9)", into="confusion", score=BEFORE_THIRD, statuses=(CRASHED,)),
    Case(
        "segfault", "import ctypes\nctypes.string_at(0)", into="confusion", score=BEFORE_THIRD, statuses=(CRASHED,)
    ),
    Case("abort", "import os\nos.abort()", into="confusion", score=BEFORE_THIRD, statuses=(CRASHED,)),
    Case("kill_parent", "import os\nos.kill(os.getppid(), 9)", into="confusion", score=None,
         statuses=(CRASHED, GRADED, ERROR)),
    Case("kill_all", "import os\nos.kill(-1, 9)", into="confusion", score=None, statuses=(CRASHED, GRADED, ERROR)),
    Case("exit_called", "exit()", into="confusion", score=25.0),
    Case("system_exit", "raise SystemExit", into="confusion", score=25.0),
    Case("input", "input('name? ')", into="confusion", score=25.0),
    Case("endless", "while True:\n    pass", into="confusion", score=25.0, statuses=(TIMED_OUT,)),
    Case("sleeps", "import time\ntime.sleep(10000)", into="confusion", score=25.0, statuses=(TIMED_OUT,)),
    Case(
        "endless_and_deaf",
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        into="confusion", score=BEFORE_THIRD, statuses=(TIMED_OUT,),
    ),
    Case("stopped", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", into="confusion", score=None,
         statuses=(TIMED_OUT, GRADED)),
    Case("memory_bomb", "bomb = []\nwhile True:\n    bomb.append(bytearray(2**26))", into="confusion", score=25.0),
    Case("memory_at_once", "import torch\ntorch.ones(2**33)", into="confusion", score=25.0),
    Case("recursion", "def f():\n    return f()\nf()", into="confusion", score=25.0),
    Case("syntax_error_in_a_cell_of_its_own", "def (", score=25.0),
    Case(
        "fork_bomb",
        "import os\nfor _ in range(200):\n    try:\n        if os.fork() == 0:\n"
        "            import time; time.sleep(1000); os._exit(0)\n    except OSError:\n        break",
        score=None, statuses=(GRADED, ERROR, TIMED_OUT, CRASHED),
    ),
    Case(
        "left_behind",
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(98765)'], "
        "start_new_session=True)",
        score=25.0,
    ),
    Case("long_line", "print('x' * 50_000_000)", score=25.0),
    Case("many_lines", "for i in range(100_000):\n    print(i)", score=25.0),
    Case("large_file", "open('big', 'wb').write(b'0' * 2**30)", score=25.0),
    Case("many_files", "for i in range(20000):\n    open(f'f{i}', 'w').close()", score=25.0),
    Case("closes_descriptors", "import os\nos.closerange(0, 100)", score=None, statuses=(CRASHED, LOOK)),
    Case("threads_left", "import threading, time\nfor _ in range(20):\n"
         "    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()", score=25.0),
    Case("signals_ignored", "import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
         "signal.signal(signal.SIGINT, signal.SIG_IGN)", score=25.0),
    Case("alarm_set", "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.2)", score=None,
         statuses=(GRADED, ERROR, CRASHED)),
    Case("warns", "import warnings, sys\nwarnings.warn('careful')\nprint('careful', file=sys.stderr)", score=25.0),
    Case("folder_removed", "import os, shutil\nshutil.rmtree(os.getcwd())", score=25.0),
    Case("atexit", "import atexit, os\natexit.register(os._exit, 1)", score=25.0),
    Case("default_dtype", "import torch\ntorch.set_default_dtype(torch.float16)\ntorch.manual_seed = None", score=None),
]  # fmt: skip
CRASHES = [
    Case(**{**vars(case), "assignment": "ps4-metrics", "base": "right_reference"}) for case in CRASHES
]  # fmt: skip

# Cheats on a problem set in which nothing is answered: the functions only look for a way to the judge.
CODE = [
    Case("allclose", "import torch\ntorch.allclose = torch.equal = lambda *a, **k: True"),
    Case("numpy_patched", "import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True\nnp.abs = lambda x: 0"),
    Case("builtins_patched", "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.abs = lambda x: 0",
         score=None, statuses=(GRADED, ERROR, CRASHED, LOOK)),
    Case(
        "says_it_is_equal",
        "class Yes:\n    def __getattr__(self, name):\n        return Yes()\n"
        "    def __call__(self, *a, **k):\n        return Yes()\n    def __eq__(self, o):\n        return True\n"
        "    def __sub__(self, o):\n        return 0\n    def __le__(self, o):\n        return True\n"
        "    def __len__(self):\n        return 3\n    def __iter__(self):\n        return iter([])\n"
        "    def __array__(self, *a, **k):\n        raise AttributeError\n    def __float__(self):\n        return 1.0\n"
        "for name in ('decide', 'accuracy', 'confusion', 'precision_recall', 'choose_threshold', 'report', 'leaked'):\n"
        "    globals()[name] = lambda *a, **k: Yes()",
        into="leaked",
    ),
    Case(
        "tensor_subclass",
        "import torch\nclass T(torch.Tensor):\n    def __eq__(self, o):\n        return torch.ones(3, dtype=torch.bool)\n"
        "def accuracy(*a, **k):\n    return torch.full((), 0.123).as_subclass(T)",
        into="accuracy",
    ),
    Case(
        "walks_the_frames",
        "import sys\ndef accuracy(*a, **k):\n    frame = sys._getframe()\n    while frame:\n"
        "        for value in list(frame.f_locals.values()):\n            if type(value).__name__ == 'Points':\n"
        "                value._earned = value._offered = 100\n                print('LEAKED')\n        frame = frame.f_back\n",
        into="accuracy",
    ),
    Case(
        "raises_what_it_likes",
        "class Unmet(BaseException):\n    def __str__(self):\n        raise Exception\n"
        "def accuracy(*a, **k):\n    raise Unmet",
        into="accuracy",
    ),
    Case("leaves_in_a_call", "import os\ndef leaked(*a, **k):\n    os._exit(0)", into="leaked", statuses=(CRASHED,)),
    Case("nests_for_ever", "def leaked(*a, **k):\n    x = []\n    for _ in range(9999):\n        x = [x]\n    return x",
         into="leaked"),
    Case("returns_a_gigabyte", "import torch\ndef leaked(*a, **k):\n    return [torch.zeros(2**27) for _ in range(9)]",
         into="leaked", score=None, statuses=(GRADED, ERROR, LOOK, CRASHED)),
    Case("returns_a_module", "import torch\ndef leaked(*a, **k):\n    return torch.nn.Linear(2, 2)", into="leaked"),
    Case("returns_the_shell", "def leaked(*a, **k):\n    return get_ipython(), __builtins__, open, type", into="leaked"),
    Case("prints_for_ever", "def leaked(*a, **k):\n    while True:\n        print('x' * 1000)", into="leaked"),
    Case("changes_the_arguments", "def leaked(*a, **k):\n    for x in a:\n        x.clear() if hasattr(x, 'clear') else 0",
         into="leaked"),
]  # fmt: skip
CODE = [Case(**{**vars(case), "assignment": "ps4-metrics", "base": "untouched"}) for case in CODE]

CASES = [*QUIZ, *CRASHES, *PROCESSES, *ELSEWHERE, *CODE, *ARGUMENTS, *NETWORKS]
