package io.tiercel.nativecuda.tensorrt;

import io.tiercel.nativecuda.graph.GraphException;
import org.bytedeco.tensorrt.nvinfer.ILogger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TensorRT's messages, on whichever of its threads: errors and warnings to the log. Functions that fail return nothing
 * and say why here, so the last error is kept for whoever called.
 */
final class NvLog extends ILogger {

    private static final Logger LOG = LoggerFactory.getLogger(NvLog.class);

    private volatile String lastError = "";

    @Override
    public void log(final Severity severity, final String message) {
        if (severity.value <= Severity.kERROR.value) {
            lastError = message;
            LOG.error("{}", message);
        } else if (severity.value == Severity.kWARNING.value) {
            LOG.warn("{}", message);
        } else {
            LOG.debug("{}", message);
        }
    }

    String lastError() {
        return lastError;
    }

    /**
     * What a call has made.
     *
     * @throws GraphException with the call and the last error, if that is nothing.
     */
    <T> T checked(final T made, final String call) {
        if (made == null) {
            throw new GraphException("TensorRT: " + call + " failed: " + lastError, null);
        }
        return made;
    }
}
