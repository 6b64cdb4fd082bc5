package io.tiercel.nativecuda.onnxruntime;

/** ONNX Runtime cannot be used, or does not do what was asked of it; the message is one line for an operator. */
public final class OnnxRuntimeException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public OnnxRuntimeException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
