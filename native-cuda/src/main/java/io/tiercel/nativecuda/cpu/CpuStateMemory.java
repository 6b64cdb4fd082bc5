package io.tiercel.nativecuda.cpu;

import io.tiercel.appliance.engine.StateMemory;

/**
 * Zeroed memory in huge pages, where the system gives them: states of thousands of sessions that are asked in any order
 * are all over it, and with pages of 4 KiB each of them would cost a walk through the page tables as well.
 */
final class CpuStateMemory implements StateMemory {

    private final long address;
    private long handle;

    CpuStateMemory(final long bytes) {
        CpuKernels.loadLibrary();
        handle = CpuKernels.newMemory(bytes);
        if (handle == 0) {
            throw new OutOfMemoryError("bytes=" + bytes + " for states");
        }
        address = CpuKernels.memoryAddress(handle);
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public void close() {
        if (handle != 0) {
            CpuKernels.deleteMemory(handle);
            handle = 0;
        }
    }
}
