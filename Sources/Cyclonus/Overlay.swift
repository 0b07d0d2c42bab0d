import ControlPlane

// The module and its main type share a name, so that `ControlPlane.Device` would mean a member of the type. Here,
// where nothing else is imported, the plain name is the module's.
enum Overlay {
  static var ifindex: UInt32 { Device.overlayIndex }
}
