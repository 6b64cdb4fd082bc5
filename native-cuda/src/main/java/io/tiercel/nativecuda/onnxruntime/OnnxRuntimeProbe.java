package io.tiercel.nativecuda.onnxruntime;

import java.util.Locale;

/**
 * What stands against ONNX Runtime here. Looks only: its first class would load its native library for good, so none is
 * named here.
 *
 * <p>Releases of ONNX Runtime for Linux and macOS send usage data to Microsoft, from threads of their own, unless
 * {@value #OPT_OUT}=1 is in the environment when the library starts. Without it nothing is loaded: a trading host makes
 * no connection that its owner did not configure.
 */
public final class OnnxRuntimeProbe {

    /** The variable that keeps ONNX Runtime from sending usage data; read by its library, so no property will do. */
    public static final String OPT_OUT = "ORT_DISABLE_TELEMETRY";

    private static final String CLASSES = "ai/onnxruntime/";

    private OnnxRuntimeProbe() {
    }

    /** Why it cannot be used, in one line, or null if nothing stands against it. */
    public static String obstacle() {
        return obstacle(OnnxRuntimeProbe.class.getClassLoader(), System.getenv(OPT_OUT), System.getProperty("os.name"),
                System.getProperty("os.arch"));
    }

    static String obstacle(
            final ClassLoader classPath, final String optOut, final String system, final String processor) {
        if (classPath.getResource(CLASSES + "OrtEnvironment.class") == null) {
            return "ONNX Runtime's jar (com.microsoft.onnxruntime:onnxruntime) is not on the class path";
        }
        if (!"1".equals(optOut)) {
            return OPT_OUT + "=" + (optOut == null ? "" : optOut)
                    + ": ONNX Runtime sends usage data to its maker unless"
                    + " this variable is 1; tools/tiercel sets it";
        }
        if (classPath.getResource(CLASSES + "native/" + platform(system, processor) + "/") == null) {
            return "ONNX Runtime's jar has no native library for os=" + system + " arch=" + processor;
        }
        return null;
    }

    /** The folder of the native library, as the jar names it. */
    private static String platform(final String system, final String processor) {
        final String name = system.toLowerCase(Locale.ROOT);
        final String folder = name.contains("win") && !name.contains("darwin")
                ? "win"
                : name.contains("mac") ? "osx" : name;
        return folder + "-" + ("amd64".equals(processor) || "x86_64".equals(processor) ? "x64" : processor);
    }
}
