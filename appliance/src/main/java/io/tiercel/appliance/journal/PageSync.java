package io.tiercel.appliance.journal;

import net.openhft.posix.MSyncFlag;
import net.openhft.posix.PosixAPI;

/**
 * Writes mapped pages through to the device. {@code msync} of a range and not {@code fdatasync} of the file: the keeper
 * has made megabytes of empty pages ready ahead of the writer, and each of those would be written too.
 *
 * <p>Any thread. Allocates nothing.
 */
class PageSync {

    private final PosixAPI posix = PosixAPI.posix();

    /**
     * @param address page-aligned.
     * @return 0, or an errno. The pages may then be marked clean without being on the device: there is no second try.
     */
    int sync(final long address, final long lengthBytes) {
        return posix.msync(address, lengthBytes, MSyncFlag.MS_SYNC.value()) == 0 ? 0 : posix.lastError();
    }
}
