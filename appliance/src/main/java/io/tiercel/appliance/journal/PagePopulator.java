package io.tiercel.appliance.journal;

import net.openhft.posix.OpenFlag;
import net.openhft.posix.PosixAPI;
import org.agrona.UnsafeApi;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.File;

/**
 * Takes page faults on the keeper's thread so that the writing thread has none: {@code MADV_POPULATE_WRITE} allocates
 * the blocks, makes the pages, and maps them writable, without changing a byte, so it may run over memory that is being
 * written.
 *
 * <p>Kernels before 5.14 do not have it. There the blocks are allocated first (a page that cannot be backed would
 * otherwise raise SIGBUS) and each page then gets an atomic add of zero, which has the same effect.
 *
 * <p>One thread.
 */
final class PagePopulator {

    static final int PAGE_BYTES = 4096;

    private static final int MADV_POPULATE_WRITE = 23;
    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int EINTR = 4;
    private static final int EIO = 5;
    private static final int EAGAIN = 11;
    private static final int EINVAL = 22;
    private static final Logger LOG = LoggerFactory.getLogger(PagePopulator.class);

    private final PosixAPI posix = PosixAPI.posix();
    private boolean hasPopulateWrite;

    PagePopulator(final boolean hasPopulateWrite) {
        this.hasPopulateWrite = hasPopulateWrite;
    }

    /**
     * @param address    page-aligned address of {@code fileOffset} in a mapping of {@code file}.
     * @param fileOffset page-aligned.
     * @return 0, or an errno: EFAULT (14) when the file system could not back a page; most often it is full.
     */
    int populate(final File file, final long fileOffset, final long address, final long lengthBytes) {
        if (hasPopulateWrite) {
            final int errno = madvise(address, lengthBytes);
            if (errno != EINVAL) {
                return errno;
            }
            hasPopulateWrite = false;
            LOG.warn("madvise(MADV_POPULATE_WRITE) is not available (Linux 5.14 has it): " +
                    "journal blocks are allocated and their pages touched one by one instead");
        }
        final int errno = allocate(file, fileOffset, lengthBytes);
        if (errno == 0) {
            touch(address, lengthBytes);
        }
        return errno;
    }

    /** Maps pages writable again that are known to be backed. */
    int refresh(final long address, final long lengthBytes) {
        if (hasPopulateWrite) {
            return madvise(address, lengthBytes);
        }
        touch(address, lengthBytes);
        return 0;
    }

    private int madvise(final long address, final long lengthBytes) {
        while (posix.madvise(address, lengthBytes, MADV_POPULATE_WRITE) != 0) {
            final int errno = posix.lastError();
            if (errno != EINTR && errno != EAGAIN) {
                return errno;
            }
        }
        return 0;
    }

    private int allocate(final File file, final long fileOffset, final long lengthBytes) {
        final int descriptor = posix.open(file.getPath(), OpenFlag.O_RDWR, 0);
        if (descriptor < 0) {
            return posix.lastError();
        }
        try {
            if (posix.fallocate(descriptor, FALLOC_FL_KEEP_SIZE, fileOffset, lengthBytes) == 0) {
                return 0;
            }
            final int errno = posix.lastError();
            return errno == 0 ? EIO : errno;
        } finally {
            posix.close(descriptor);
        }
    }

    private static void touch(final long address, final long lengthBytes) {
        for (long page = address; page < address + lengthBytes; page += PAGE_BYTES) {
            UnsafeApi.getAndAddLong(null, page, 0L);
        }
    }
}
