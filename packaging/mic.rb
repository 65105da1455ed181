# Homebrew formula. Not run here: no Homebrew on the machine that builds it.
class Mic < Formula
  desc "Version control that keeps the why"
  homepage "@HOMEPAGE@"
  url "@SOURCE@/@SDIST@"
  sha256 "@SDIST_SHA256@"
  license "Apache-2.0"

  depends_on "uv" => :build
  depends_on "python@3.11"

  def install
    system "uv", "venv", "--python", Formula["python@3.11"].opt_bin/"python3.11", libexec
    system "uv", "pip", "install", "--python", libexec/"bin/python", "."
    bin.install_symlink libexec/"bin/mic"
    generate_completions_from_executable(bin/"mic", "completion", shells: [:bash, :zsh, :fish])
  end

  test do
    assert_equal "mic @VERSION@", shell_output("#{bin}/mic --version").strip
  end
end
