import subprocess
import sys


def test_importing_is_light():
    program = "import sys, xception_np.data; print([name for name in ('sklearn', 'PIL', 'numba') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert run.stdout == "[]\n"
