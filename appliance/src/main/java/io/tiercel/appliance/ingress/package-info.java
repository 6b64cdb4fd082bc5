/** The door: who may come in, which frames are whole, and what time it was. */
package io.tiercel.appliance.ingress;
