/**
 * {@code bench engine}: a step of the engine beside the same LSTM in ONNX Runtime, called from Java as cheaply as its
 * API allows. The model's file is written here, field by field, so that no other program is needed to make it.
 *
 * <p>Read {@code EngineBenchCommand}, {@code EngineBench}, {@code Contender}; of the peer, {@code OnnxRuntimeLstm}.
 */
package io.tiercel.tools.engine;
