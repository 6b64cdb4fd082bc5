package io.tiercel.nativecuda.cuda;

/** A call of the CUDA driver has failed, or there is no driver to call. The message is one line, and says which. */
public final class CudaException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    CudaException(final String message) {
        super(message);
    }
}
