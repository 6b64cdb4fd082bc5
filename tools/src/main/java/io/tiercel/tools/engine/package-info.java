/**
 * The engine's peer: the same LSTM in ONNX Runtime, called from Java as cheaply as its API allows. The model's file is
 * written here, field by field, so that no other program is needed to make it.
 */
package io.tiercel.tools.engine;
