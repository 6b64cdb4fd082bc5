package io.tiercel.nativecuda.tensorrt;

import io.tiercel.appliance.engine.DeviceLostException;
import org.bytedeco.cuda.global.cudart;

/** The codes that functions of CUDA's runtime return. */
final class CudaRuntime {

    private CudaRuntime() {
    }

    /**
     * @param call what was called, with what it was for.
     * @throws DeviceLostException if the code is not success: the call, the error's name and number, CUDA's words.
     */
    static void check(final int code, final String call) {
        if (code != cudart.cudaSuccess) {
            throw new DeviceLostException(call + ": " + cudart.cudaGetErrorName(code).getString() + " (" + code +
                    "): " + cudart.cudaGetErrorString(code).getString(), null);
        }
    }
}
