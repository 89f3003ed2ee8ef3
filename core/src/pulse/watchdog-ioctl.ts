/**
 * Asks a watchdog driver for a timeout and for the one it took, through the system's library. Where that cannot be called
 * the driver keeps its own, which is said and does no harm.
 */

/** linux/watchdog.h on x86 and ARM: _IOWR('W', 6, int). The driver writes back what it made of it. */
const setTimeoutRequest = 0xc0045706;

/** The timeout in force, seconds; or why it is not known. Never throws. */
export async function setDriverTimeout(file: number, seconds: number): Promise<number | string> {
  if (process.platform !== "linux") return `not built for ${process.platform}`;
  if (process.arch !== "x64" && process.arch !== "arm64") return `not built for ${process.arch}`;
  try {
    const { default: koffi } = await import("koffi");
    const ioctl = koffi.load(null).func("int ioctl(int file, unsigned long request, _Inout_ int *value)");
    const value = [seconds];
    if (Number(ioctl(file, setTimeoutRequest, value)) === 0) return value[0] ?? seconds;
    const errno = koffi.errno();
    return errno === notATerminal ? "the device knows no ioctl (ENOTTY)" : `error ${errno} of the driver`;
  } catch (error) {
    return `the system's library cannot be called: ${(error as Error).message}`;
  }
}

/** ENOTTY: no such request for this kind of file. */
const notATerminal = 25;
