/**
 * What both ends of the wire share: the arithmetic of frame lengths, the validation of a frame before anything in it
 * is believed, and the identity of a principal. The codecs are generated into {@code wire} and {@code journal}; the
 * library for trading systems is {@code client}. {@code protocol/README.md} tells the whole conversation.
 */
package io.tiercel.protocol;
