/* How a picture comes into the page: as a chosen or dropped file, from the camera, or from the site itself.

It never goes out again: nothing here, and nothing in this folder, sends anything. */

const MOST_PIXELS = 50e6; // more fills the memory of a phone

/** Open a file as {width, height, data}, the right way up, in sRGB, with white where it is transparent. */
export async function openPicture(blob) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    throw new Error(`${blob.name ?? "This"} is not a picture that this browser can open. Save it as JPEG or PNG first.`);
  }
  if (bitmap.width * bitmap.height > MOST_PIXELS) {
    bitmap.close();
    throw new Error(`${blob.name ?? "This picture"} has more than ${MOST_PIXELS / 1e6} million pixels. Make it smaller first.`);
  }
  return fromSource(bitmap, bitmap.width, bitmap.height);
}

function fromSource(source, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, at = 0; i < data.length; at += 4) {
    data[i++] = rgba[at];
    data[i++] = rgba[at + 1];
    data[i++] = rgba[at + 2];
  }
  return { width, height, data };
}

/** Let files be chosen in `area` with its file input, or be dropped on it; `take` gets an array of files. */
export function acceptFiles(area, take) {
  const input = area.querySelector("input[type=file]");
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = ""; // so that the same file can be chosen again
  });
  area.addEventListener("dragover", (event) => {
    event.preventDefault();
    area.classList.add("over");
  });
  area.addEventListener("dragleave", () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("over");
    if (event.dataTransfer.files.length) take([...event.dataTransfer.files]);
  });
}

/** Show the camera in the dialog; `take` gets a picture each time the button is pressed, until the dialog is closed. */
export async function useCamera(dialog, take) {
  if (!navigator.mediaDevices) throw new Error("The camera needs a page from https:// or localhost.");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    throw new Error(`The camera cannot be used (${error.message}). Allow it in the browser, or choose a file.`);
  }
  const video = dialog.querySelector("video");
  video.srcObject = stream;
  const shoot = () => {
    if (video.videoWidth) take(fromSource(video, video.videoWidth, video.videoHeight));
  };
  const button = dialog.querySelector("[data-action=shoot]");
  button.addEventListener("click", shoot);
  dialog.addEventListener(
    "close",
    () => {
      button.removeEventListener("click", shoot);
      stream.getTracks().forEach((track) => track.stop());
      video.srcObject = null;
    },
    { once: true },
  );
  dialog.showModal();
  await video.play();
}
