package io.tiercel.nativecuda.cuda;

/**
 * Launches that the driver has prepared together, so that one call makes all of them: recorded once from a stream,
 * which runs nothing meanwhile. What changes from batch to batch stands in memory that the kernels read. One thread.
 */
final class LaunchGraph {

    private static final int NO_FLAGS = 0;

    private final String what;
    private final long executable;

    /**
     * @param what     for messages.
     * @param launches onto this stream.
     * @throws CudaException if the driver fails; then nothing is left behind.
     */
    LaunchGraph(final LaunchStream stream, final String what, final Runnable launches) {
        this.what = what;
        final long graph = record(stream, launches);
        final long[] handle = new long[1];
        final int code = CudaDriver.graphInstantiate(handle, graph, NO_FLAGS);
        final int destroyCode = CudaDriver.graphDestroy(graph);
        if (code == CudaDriver.SUCCESS && destroyCode != CudaDriver.SUCCESS) {
            CudaDriver.graphExecDestroy(handle[0]);
        }
        CudaDriver.check(code, "cuGraphInstantiateWithFlags" + inBrackets());
        CudaDriver.check(destroyCode, "cuGraphDestroy" + inBrackets());
        executable = handle[0];
    }

    /** Which of the graphs for powers of two is for so many positions: the smallest that has room for them. */
    static int sizeIndex(final int count) {
        return Integer.SIZE - Integer.numberOfLeadingZeros(count - 1);
    }

    /** Positions of that graph. */
    static int room(final int sizeIndex, final int most) {
        return Math.min(1 << sizeIndex, most);
    }

    /** Destroys those that are not null, when no kernel is there. */
    static void free(final CudaDevice device, final LaunchGraph... graphs) {
        for (final LaunchGraph graph : graphs) {
            if (graph != null) {
                device.free(graph::destroy);
            }
        }
    }

    /** Behind all that stands in the stream. */
    void launch(final LaunchStream stream) {
        final int code = CudaDriver.graphLaunch(executable, stream.handle());
        if (code != CudaDriver.SUCCESS) {
            CudaDriver.check(code, "cuGraphLaunch" + inBrackets());
        }
    }

    void destroy() {
        CudaDriver.check(CudaDriver.graphExecDestroy(executable), "cuGraphExecDestroy" + inBrackets());
    }

    private long record(final LaunchStream stream, final Runnable launches) {
        CudaDriver.check(CudaDriver.streamBeginCapture(stream.handle(), CudaDriver.CAPTURE_THREAD_LOCAL),
                "cuStreamBeginCapture" + inBrackets());
        final long[] graph = new long[1];
        try {
            launches.run();
        } catch (final CudaException ex) {
            // The stream is one to launch on again, whatever of the recording there is.
            if (CudaDriver.streamEndCapture(stream.handle(), graph) == CudaDriver.SUCCESS && graph[0] != 0) {
                CudaDriver.graphDestroy(graph[0]);
            }
            throw ex;
        }
        CudaDriver.check(CudaDriver.streamEndCapture(stream.handle(), graph), "cuStreamEndCapture" + inBrackets());
        return graph[0];
    }

    private String inBrackets() {
        return "(" + what + ")";
    }
}
