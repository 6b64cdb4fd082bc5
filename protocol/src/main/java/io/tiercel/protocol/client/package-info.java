/**
 * The client library for trading systems. Start at {@link io.tiercel.protocol.client.TiercelClient}; needs Aeron's
 * client and Agrona, nothing else.
 */
package io.tiercel.protocol.client;
