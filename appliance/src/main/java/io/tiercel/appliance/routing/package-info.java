/** Which versions of each model there are, and which of them a session is with. */
package io.tiercel.appliance.routing;
